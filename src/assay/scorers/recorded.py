"""Scores in a file, as runs and `assay score` write them: read at this one place, and a Scorer like any other.

The rows are those of `scores_file`, `.gz` or not: null beside a reason is an answer that was not scored, for that
reason; null alone is a reward that was not finite. Knows ids and numbers; knows no text, so what is scored is told by
its id.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_file
from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.protocol import Scored, Unscored, scored
from assay.scorers.scored_pairs import ScoredPair

Unit = Literal["pair", "prompt"]
EXPECTED: Mapping[Unit, str] = {"pair": "pair_id, chosen and rejected", "prompt": "id and scores"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row: the id of a pair or a prompt, and what its answers got, in order (a pair's: chosen, rejected)."""

    id: str
    scores: tuple[Scored, ...]


class RecordedScorer:
    """Gives each group what is recorded under its id; its answers must stand in the order in which they were scored."""

    unit: Unit = "pair"

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file. Give a scores.jsonl, as a run or `assay score` writes it.")

    @property
    def name(self) -> str:
        return str(self.path)

    @cached_property
    def fingerprint(self) -> str:
        return sha256_file(self.path)

    @cached_property
    def rows(self) -> Mapping[str, tuple[Scored, ...]]:
        """Every row's results by id, read at first use."""
        return by_id(self.path)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Raises InputError for a group that is not in the file, or has another number of answers there."""
        missing = [group.id for group in groups if group.id not in self.rows]
        if missing:
            raise InputError(
                f"{self.path} has no score for {len(missing)} of {len(groups)} asked for, the first is {missing[0]!r}. "
                "Give the scores of the same data."
            )
        for group in groups:
            if len(self.rows[group.id]) != len(group.answers):
                raise InputError(
                    f"{self.path} has {len(self.rows[group.id])} scores for {group.id!r}, which has "
                    f"{len(group.answers)} answers. Give the scores of the same data."
                )
        return [self.rows[group.id] for group in groups]


def by_id(path: Path, *, unit: Unit | None = None) -> dict[str, tuple[Scored, ...]]:
    """Each row's results by id. Raises InputError for an id that stands twice, and as `read_recorded`."""
    found: dict[str, tuple[Scored, ...]] = {}
    for row in read_recorded(path, unit=unit):
        if row.id in found:
            raise InputError(f"{path}: {row.id!r} is scored twice. Keep one row for it.")
        found[row.id] = row.scores
    return found


def read_scored_pairs(path: Path) -> list[ScoredPair]:
    """The pairs of a score file, in its order. Raises as `read_recorded`."""
    return [
        ScoredPair(pair_id=row.id, chosen=row.scores[0], rejected=row.scores[1])
        for row in read_recorded(path, unit="pair")
    ]


def read_recorded(path: Path, *, unit: Unit | None = None) -> Iterator[Recorded]:
    """Rows of a score file, in order. unit: what they must be of; None: either.

    Raises InputError, with file and line, for what is no row of scores.
    """
    expected = EXPECTED[unit] if unit else " or ".join(EXPECTED.values())
    for row in json_objects(path, holds=f"Scores stand one a line: {expected}."):
        try:
            yield _recorded(row.data, unit)
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"{row.where}: no row of scores; expected {expected}, as assay score or a run writes them."
            ) from None


def _recorded(row: Mapping[str, object], unit: Unit | None) -> Recorded:
    """Raises KeyError, TypeError or ValueError where the row is not what it should be."""
    if unit == "pair" or (unit is None and "pair_id" in row):
        reason, heads = row.get("reason"), _object(row.get("heads"))
        sides = (_result(row[side], reason, heads.get(side)) for side in ("chosen", "rejected"))
        return Recorded(str(row["pair_id"]), tuple(sides))
    scores = _list(row["scores"])
    reasons, heads_M = (_list(row.get(name) or [None] * len(scores)) for name in ("reasons", "heads"))
    return Recorded(str(row["id"]), tuple(_result(*one) for one in zip(scores, reasons, heads_M, strict=True)))


def _result(value: object, reason: object, heads: object) -> Scored:
    if value is None:
        return Unscored(reason) if isinstance(reason, str) and reason else scored(math.nan)
    return scored(_number(value), heads={name: _number(one) for name, one in _object(heads).items()})


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def _object(value: object) -> Mapping[str, object]:
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(value)
    return value or {}


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
