"""Rewards in a folder of parts: rows of `assay score`, JSON lines or Parquet. Knows groups and rewards."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import orjson
from pydantic import TypeAdapter, ValidationError

from assay.artifacts.files import dumps
from assay.bulk.parts_folder import PartsFolder
from assay.records import Candidates
from assay.scorers.protocol import NONE, Answered, Reward, Scored, Unscored
from assay.scorers.score_tables import prompt_rows_of, write_table
from assay.scorers.scores_file import PromptRow, prompt_row

_ROWS = TypeAdapter(list[PromptRow])


class ScoreParts:
    """Blocks of rewards, by number and digest: see PartsFolder for what is raised."""

    def __init__(self, parts: PartsFolder) -> None:
        self._parts = parts

    def read(self, number: int, key: str, groups: Sequence[Candidates]) -> dict[int, Answered] | None:
        """What each group of a block got, by place; None where there is no whole part of it."""
        body = self._parts.read(number, key)
        if body is None:
            return None
        try:
            rows = _ROWS.validate_python(self._decoded(body))
        except (orjson.JSONDecodeError, ValidationError, ValueError):
            return None  # written by another version: asking the scorer again is always right
        if [(row["id"], len(row["scores"])) for row in rows] != [(one.id, len(one.answers)) for one in groups]:
            return None
        return {place: _answered(row) for place, row in enumerate(rows)}

    def write(self, number: int, key: str, groups: Sequence[Candidates], results: Mapping[int, Answered]) -> None:
        rows = [prompt_row(group, results[place]) for place, group in enumerate(groups)]
        self._parts.write(number, key, self._encoded(rows))

    def _encoded(self, rows: Sequence[PromptRow]) -> bytes:
        if self._parts.suffix == ".jsonl":
            return b"".join(dumps(row) + b"\n" for row in rows)
        stream = io.BytesIO()
        write_table(stream, rows, "prompts")
        return stream.getvalue()

    def _decoded(self, body: bytes) -> Sequence[object]:
        if self._parts.suffix == ".jsonl":
            return [orjson.loads(line) for line in body.splitlines()]
        from pyarrow import parquet

        return prompt_rows_of(parquet.read_table(io.BytesIO(body)))


def _answered(row: PromptRow) -> Answered:
    reasons, heads = row.get("reasons") or [None] * len(row["scores"]), row.get("heads") or [None] * len(row["scores"])
    return tuple(map(_scored, row["scores"], reasons, heads))


def _scored(value: float | None, reason: str | None, heads: Mapping[str, float] | None) -> Scored:
    return Unscored(reason or "no reason is kept") if value is None else Reward(value, heads or NONE)
