"""Personal links of a study just made: by name, and as a table beside the study. Knows tokens; issues none."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

OWNER = "owner"


def links_at(url: str, tokens: Mapping[str, str]) -> dict[str, str]:
    """Link by name; the owner's, under "" in `tokens`, is called "owner"."""
    return {who or OWNER: f"{url.rstrip('/')}/s/{token}" for who, token in tokens.items()}


def table_of(study: Path) -> Path:
    """Where the links of a study in a file are kept."""
    return study.with_name(f"{study.name}.links.csv")


def write_links(study: Path, links: Mapping[str, str]) -> Path:
    """The links as a table only the owner can read, beside the study's file."""
    path = table_of(study)
    text = io.StringIO()
    csv.writer(text).writerows([("who", "link"), *links.items()])
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def read_links(study: Path) -> dict[str, str]:
    """Link by name, as `write_links` wrote them. Raises OSError where there is no table."""
    with table_of(study).open(encoding="utf-8", newline="") as stream:
        return {row["who"]: row["link"] for row in csv.DictReader(stream)}
