"""Where a study lives, as text: a SQLite file or a postgresql:// URL, and how it is told without its password."""

from __future__ import annotations

import re
from pathlib import Path

Place = str | Path
# Up to the last @ before the path, as urlsplit reads it: a password may hold an @ of its own.
_PASSWORD = re.compile(r"(://[^:/?#@\s]*):[^/?#\s]*@")


def is_url(place: Place) -> bool:
    return "://" in str(place)


def without_password(text: Place) -> str:
    """The text with `***` for the password of each URL in it; for messages, the log of a run, and reports."""
    return _PASSWORD.sub(r"\1:***@", str(text))
