"""Pairs by objective: where it stands, each objective's own contract, and that nothing of the others is lost unsaid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.data import check, read_pairs
from assay.data.config import DataConfig
from assay.data.native_rows import as_native
from assay.data.objectives import by_objective, objective_counts, objective_of, pairs_of
from assay.errors import ConfigError, InputError
from assay.records import Pair


def row(prompt: str, **more: object) -> dict[str, object]:
    return {"prompt": prompt, "chosen": f"yes to {prompt}", "rejected": f"no to {prompt}", **more}


ROWS = [
    row("a", objective="helpful", votes=["chosen", "chosen", "rejected"]),
    row("b", objective="helpful"),
    row("b", objective="helpful"),  # a repeat
    row("b", objective="harmless", chosen="no to b", rejected="yes to b"),  # the same answers the other way round
    row("c", objective="harmless", chosen=""),  # a reject
    row("d"),
]


def file_of(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return str(path)


def test_a_column_is_the_objective_and_comes_back_as_it_was(tmp_path: Path) -> None:
    found = read_pairs(file_of(tmp_path / "pairs.jsonl", ROWS))
    assert [objective_of(pair) for pair in found.pairs] == ["helpful", "helpful", "harmless", None]
    assert [reject.reason for reject in found.rejects] == ["empty_candidate", "duplicate"]
    again = read_pairs([as_native(pair) for pair in found.pairs]).pairs
    assert [objective_of(pair) for pair in again] == ["helpful", "helpful", "harmless", None]
    assert [pair.category for pair in again] == ["helpful", "helpful", "harmless", None]


def test_one_pair_may_have_two_outcomes_that_part() -> None:
    found = by_objective(read_pairs(ROWS).pairs)
    assert (found.by, found.without, found.shared, found.opposed) == ("objective", 1, 1, 1)
    assert {name: len(pairs) for name, pairs in found.pairs.items()} == {"helpful": 2, "harmless": 1}


def test_one_objective_alone_and_the_rest_is_told(tmp_path: Path) -> None:
    data = file_of(tmp_path / "pairs.jsonl", ROWS)
    for report in (
        read_pairs(data, config=DataConfig(objective="helpful")).report,
        check(data, config=DataConfig(objective="helpful")).report,
    ):
        assert (report.rows, report.kept, report.rejects["duplicate"]) == (3, 2, 1)
        (told,) = [text for text in report.warnings if "left aside" in text]
        assert told == "data.objective=helpful: 3 rows of others are left aside (harmless 2, none stated 1)"


def test_each_objective_has_its_own_contract(tmp_path: Path) -> None:
    data = file_of(tmp_path / "pairs.jsonl", ROWS)
    helpful, harmless = objective_counts(data, by_objective(read_pairs(data).pairs), config=DataConfig())
    assert (helpful.kept, helpful.rejected, helpful.votes, helpful.prompts) == (2, 1, 3, 2)
    assert helpful.majority_share == pytest.approx(2 / 3)
    assert (harmless.kept, harmless.rejected, harmless.votes, harmless.majority_share) == (1, 1, 0, None)


def test_data_without_objectives_are_read_by_category() -> None:
    rows = [row("a", category="helpful"), row("b", category="honest"), row("c", category="honest")]
    assert len(read_pairs(rows, config=DataConfig(objective="honest")).pairs) == 2
    pairs, by = pairs_of("honest", read_pairs(rows).pairs, source="memory")
    assert (len(pairs), by) == (2, "category")


def test_an_objective_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no objective 'kinder': its objectives are harmless, helpful"):
        read_pairs(ROWS, config=DataConfig(objective="kinder"))
    with pytest.raises(InputError, match=r"helpful \(1\)"):
        pairs_of("honest", [Pair(id="1", prompt="a", chosen="b", rejected="c", category="helpful")], source="x")


def test_a_second_reading_of_repeats_passes_over_other_objectives(tmp_path: Path) -> None:
    """`check` reads repeats again by their number: rows of others have none."""
    rows = [row("x", objective="harmless"), *ROWS]
    check(file_of(tmp_path / "pairs.jsonl", rows), tmp_path, config=DataConfig(objective="helpful"))
    (written,) = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert (written["reason"], written["where"]["line"]) == ("duplicate", 4)
