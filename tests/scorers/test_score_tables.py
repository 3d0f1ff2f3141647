"""Rows of scores as Parquet: every bit, every reason, and nothing where there was nothing."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pyarrow import parquet

from assay.errors import InputError
from assay.scorers.score_tables import prompt_rows_of, write_score_rows
from assay.scorers.scores_file import PairRow, PromptRow

THIRD = math.nextafter(1 / 3, 1)
PROMPTS: list[PromptRow] = [
    {"id": "a", "scores": [THIRD, -0.0]},
    {"id": "b", "scores": [None, 1e-300], "reasons": ["too long", None]},
    {"id": "c", "scores": [2.0, None], "reasons": [None, "no"], "heads": [{"helpful": THIRD, "safe": 0.5}, None]},
]
PAIRS: list[PairRow] = [
    {"pair_id": "1", "chosen": THIRD, "rejected": None, "reason": "too long"},
    {"pair_id": "2", "chosen": 1.0, "rejected": 2.0, "heads": {"chosen": {"safe": 0.25}}},
]


def test_rows_of_prompts_come_back_as_they_were(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    assert write_score_rows(out, iter(PROMPTS), "prompts") == 3
    assert prompt_rows_of(parquet.read_table(out)) == PROMPTS


def test_rows_of_pairs_are_columns(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    assert write_score_rows(out, iter(PAIRS), "pairs") == 2
    one, two = parquet.read_table(out).to_pylist()
    assert (one["pair_id"], one["chosen"], one["rejected"], one["reason"]) == ("1", THIRD, None, "too long")
    assert two["heads"] == {"chosen": [("safe", 0.25)], "rejected": None}


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield PROMPTS[0]
        raise InputError("the scorer stops")

    with pytest.raises(InputError):
        write_score_rows(tmp_path / "scores.parquet", broken(), "prompts")
    assert list(tmp_path.iterdir()) == []
