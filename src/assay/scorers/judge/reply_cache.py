"""Replies on disk, each under the hash of what was asked: a judge that was interrupted asks only what is left.

A reply is written to a temporary name and renamed, so that several processes may share a folder. Nothing of the
question is stored, only its hash.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from assay.artifacts.files import atomic_write, dumps, sha256_json


class ReplyCache:
    """One folder of replies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, asked: object) -> Path:
        name = sha256_json(asked).removeprefix("sha256:")
        return self.folder / name[:2] / f"{name}.json"

    def get(self, asked: object) -> str | None:
        """The reply, or None where there is none or its file is torn."""
        try:
            found = orjson.loads(self.place(asked).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        reply = found.get("reply") if isinstance(found, dict) else None
        return reply if isinstance(reply, str) else None

    def put(self, asked: object, reply: str) -> None:
        """Keep a reply. A folder that cannot be written costs the next run time, not this one its reply."""
        place = self.place(asked)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(place) as file:
                file.write(dumps({"reply": reply}))
        except OSError:
            return
