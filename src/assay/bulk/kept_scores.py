"""Rewards of blocks that are done, in a folder: what a killed command goes on with.

A block is found again by a digest of the scorer and of all texts in it, so rows that changed are scored anew whatever
they are called. Knows groups and rewards; knows no worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants it below Python 3.12

from assay.artifacts.files import dumps
from assay.bulk.hashed_files import HashedFiles
from assay.records import Candidates
from assay.scorers.protocol import NO_DETAIL, NONE, Answered, Reward, Scored, Unscored


class KeptScore(TypedDict):
    """One answer's: a value, or the reason why there is none."""

    value: NotRequired[float]
    heads: NotRequired[dict[str, float]]
    detail: NotRequired[dict[str, object]]
    reason: NotRequired[str]


_GROUPS = TypeAdapter(list[list[KeptScore]])


class KeptScores:
    """Blocks by their digest."""

    def __init__(self, files: HashedFiles) -> None:
        self._files = files

    def read(self, _number: int, key: str, groups: Sequence[Candidates]) -> dict[int, Answered] | None:
        """What each group of a block got, by place; None where it is not had."""
        body = self._files.read(key)
        if body is None:
            return None
        try:
            rows = _GROUPS.validate_python([orjson.loads(line) for line in body.splitlines()])
        except (orjson.JSONDecodeError, ValidationError):
            return None  # written by another version: asking the scorer again is always right
        if [len(row) for row in rows] != [len(group.answers) for group in groups]:
            return None
        return {place: tuple(map(_scored, row)) for place, row in enumerate(rows)}

    def write(self, _number: int, key: str, _groups: Sequence[Candidates], results: Mapping[int, Answered]) -> None:
        rows = ([_kept(one) for one in results[place]] for place in sorted(results))
        self._files.write(key, b"".join(dumps(row) + b"\n" for row in rows))

    def clear(self) -> None:
        self._files.clear()


def _kept(one: Scored) -> KeptScore:
    if isinstance(one, Unscored):
        return KeptScore(reason=one.reason)
    kept = KeptScore(value=one.value)
    if one.heads:
        kept["heads"] = dict(one.heads)
    if one.detail:
        kept["detail"] = dict(one.detail)
    return kept


def _scored(kept: KeptScore) -> Scored:
    if "value" not in kept:
        return Unscored(kept["reason"])
    return Reward(kept["value"], kept.get("heads") or NONE, kept.get("detail") or NO_DETAIL)
