"""Rewards of texts that are already had, in a file that grows: an interrupted audit goes on where it stopped.

One JSON line a prompt and answer, found again by a digest of the scorer's fingerprint and both texts; lines are
appended and synced a batch at a time, and a torn last line is dropped. Knows digests and rewards; keeps no text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import orjson

from assay.artifacts.files import dumps
from assay.records import Text, to_json
from assay.scorers.protocol import Reward, Scored, Unscored

Row = tuple[Text, Text]  # a prompt and one answer to it


class RewardStore:
    """The rewards of one scorer. path: the file, which several scorers may share; None: they are kept in memory."""

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint
        self.found: dict[str, Scored] = {}
        if path is not None and path.exists():
            whole, torn = _lines(path)
            self.found = dict(whole)
            if torn:
                # What was torn by a kill must not stand before what is appended now.
                os.truncate(path, path.stat().st_size - torn)

    def key(self, row: Row) -> str:
        said = dumps([self.fingerprint, to_json(row[0]), to_json(row[1])])
        return blake2b(said, digest_size=16).hexdigest()

    def get(self, row: Row) -> Scored | None:
        """The reward of a row, or why it has none; None where the scorer was not asked yet."""
        return self.found.get(self.key(row))

    def add(self, rewards: Mapping[Row, Scored]) -> None:
        """Keep rewards; on disk before this returns."""
        # What ended every worker that took it is no answer of the scorer's: it is asked about again.
        asked = {row: one for row, one in rewards.items() if isinstance(one, Reward) or not one.set_aside}
        fresh = {self.key(row): reward for row, reward in asked.items()}
        self.found |= fresh
        if self.path is None or not fresh:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            for key, one in fresh.items():
                said = {"reward": one.value} if isinstance(one, Reward) else {"reason": one.reason}
                stream.write(dumps({"key": key, **said}) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())


def _lines(path: Path) -> tuple[list[tuple[str, Scored]], int]:
    """The rows that can be read, and how many bytes at the end are no whole line."""
    body = path.read_bytes()
    whole, _, torn = body.rpartition(b"\n")
    found: list[tuple[str, Scored]] = []
    for line in whole.splitlines():
        try:
            row = orjson.loads(line)
            one: Scored = Reward(float(row["reward"])) if "reward" in row else Unscored(str(row["reason"]))
            found.append((str(row["key"]), one))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue  # asking the scorer again is always right
    return found, len(torn)
