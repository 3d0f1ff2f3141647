"""Which columns stop the reading, which are told, and which only stand in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from assay.data import PairSet, check, read_pairs
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.records import Message

PAIR: dict[str, Any] = {"prompt": "What is a fen?", "chosen": "A wetland.", "rejected": "A bird."}


def read(*rows: dict[str, Any], **config: Any) -> PairSet:
    return read_pairs(list(rows), config=DataConfig(**config))


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}", **more} for n in range(count)]


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("input", "In East Anglia.", "a second half of the prompt"),
        ("context", "In East Anglia.", "a second half of the prompt"),
        ("history", [["Hello", "Hi"]], "a second half of the prompt"),
        ("system_prompt", "Be brief.", "a system text beside the prompt"),
        ("initial_reason_steps", "Step 1: ", "what an answer goes on from"),
        ("tools", [{"name": "search"}], "tools the model could call"),
        ("tools", '[{"name": "search"}]', "tools the model could call"),
        ("images", ["a.png"], "what the prompt shows beside its text"),
        ("reasoning_content", "Hm.", "reasoning that belongs to an answer"),
        ("chosen_thinking", "Hm.", "reasoning that belongs to an answer"),
    ],
)
def test_a_column_that_changes_the_meaning_stops(column: str, value: object, told: str) -> None:
    with pytest.raises(InputError, match=f"{column!r} .{told}; first at memory:1.*data.ignore=.{column}") as stopped:
        read({**PAIR, column: value})
    assert "it changes what an answer means" in str(stopped.value)
    found = read({**PAIR, column: value}, ignore=(column,))
    assert (len(found.pairs), found.report.columns[column].role) == (1, "ignored")


def test_all_that_would_be_lost_is_named_at_once() -> None:
    with pytest.raises(InputError, match=r"'tools'.*'input'.*data.ignore=\[tools, input\]"):
        read({**PAIR, "tools": [1], "input": "x"})


def test_an_instruction_with_its_input_is_told_how_to_join() -> None:
    rows = [{"instruction": f"Do {n}", "input": f"x{n}", "good": "a", "poor": "b"} for n in range(2)]
    with pytest.raises(InputError, match=r"prompt: \[instruction, input\]"):
        read(*rows, columns={"prompt": "instruction", "chosen": "good", "rejected": "poor"})


@pytest.mark.parametrize("value", [None, "", "  ", [], {}, float("nan")])
@pytest.mark.parametrize("column", ["input", "system", "tools", "images", "thinking"])
def test_an_empty_column_does_not_stop(column: str, value: object) -> None:
    assert len(read({**PAIR, column: value}).pairs) == 1


def test_what_the_prompt_holds_anyway_is_not_lost() -> None:
    told = {
        **PAIR,
        "prompt": "What is a fen?\nIn East Anglia.",
        "input": "In East Anglia.",
        "instruction": "What is a fen?",
    }
    assert len(read(told).pairs) == 1
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a fen?"}]
    other = [{"role": "system", "content": "Be long."}, {"role": "user", "content": "What is a fen?"}]
    rows = [{**PAIR, "prompt": chat, "system": "Be brief."}, {**PAIR, "prompt": other, "system": "Be long."}]
    assert len(read(*rows).pairs) == 2


def test_an_object_named_context_is_no_text() -> None:
    found = read({**PAIR, "context": {"page": 3}})
    assert found.report.columns["context"].role == "unused"


def test_a_system_text_that_differs_stops_and_can_be_made_part_of_the_prompt() -> None:
    rows = [
        {**PAIR, "system": "Be brief."},
        {**PAIR, "chosen": "A bird.", "rejected": "A wetland.", "system": "Be wrong."},
    ]
    with pytest.raises(InputError, match="--columns system=system"):
        read(*rows)
    found = read(*rows, columns={"system": "system"})
    assert [pair.prompt[0] for pair in found.pairs] == [
        Message(role="system", content="Be brief."),
        Message(role="system", content="Be wrong."),
    ]
    assert found.report.columns["system"].role == "system"


def test_a_system_text_that_never_differs_is_told() -> None:
    found = read(*numbered(20, system="Be brief."))
    assert len(found.pairs) == 20
    assert any("'system' is the same in all rows" in line for line in found.report.warnings)
    with pytest.raises(InputError, match="'system'"):  # too few rows to call it constant
        read(*numbered(19, system="Be brief."))


def test_a_column_that_comes_late_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    rows = [*numbered(400), {**PAIR, "images": ["a.png"]}]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    with pytest.raises(InputError, match=r"late\.jsonl:401"):
        check(path, tmp_path / "out")
    assert not (tmp_path / "out" / "contract.json").exists()


def test_the_place_of_an_image_in_a_prompt_stops_and_a_word_does_not() -> None:
    with pytest.raises(InputError, match="<image>"):
        read({**PAIR, "prompt": "<image>\nWhat is this?"})
    assert len(read({**PAIR, "prompt": "Which tag, <image> or <img>?"}).pairs) == 1
    assert len(read({**PAIR, "prompt": "<image>\nWhat is this?"}, ignore=("<image>",)).pairs) == 1


@pytest.mark.parametrize("key", ["reasoning_content", "thinking"])
def test_reasoning_inside_messages_stops(key: str, tmp_path: Path) -> None:
    def chat(thought: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": "Yes.", key: thought}]

    row = {"prompt": "Is it?", "chosen": chat("sound"), "rejected": chat("wrong")}
    with pytest.raises(InputError, match=f"{key!r} .reasoning inside messages; first at memory:1"):
        read(row)
    assert read(row, ignore=(key,)).rejects[0].reason == "identical_candidates"
    written = {**row, "chosen": json.dumps(row["chosen"]), "rejected": json.dumps(row["rejected"])}
    assert read(written, ignore=(key,)).rejects[0].reason == "identical_candidates"
    assert len(read({**row, "chosen": chat(""), "rejected": "No."}).pairs) == 1


def test_scores_that_tie_or_contradict_are_counted_and_said() -> None:
    rows = numbered(5, rating_chosen=9, rating_rejected=4)
    rows[1] |= {"rating_chosen": 4}
    rows[2] |= {"rating_chosen": 2}
    found = read(*rows)
    assert len(found.pairs) == 5
    expected = (
        "'rating_chosen' is below 'rating_rejected' in 1 rows and equal in 1; the pairs stand as chosen and rejected."
    )
    assert found.report.warnings == [expected]
    assert read(*numbered(5, rating_chosen=9, rating_rejected=4)).report.warnings == []


def test_scores_that_mostly_contradict_stop() -> None:
    row = {**PAIR, "rating_chosen": 2, "rating_rejected": 10}
    with pytest.raises(InputError, match="below 'rating_rejected' in 1 rows and above it in 0"):
        read(row)
    assert len(read(row, ignore=("rating_chosen", "rating_rejected")).pairs) == 1


def test_ties_by_status_are_said() -> None:
    rows = numbered(2, status="tie")
    assert read(*rows).report.warnings == ["In 2 rows 'status' says tie; the pairs stand as chosen and rejected."]


def test_columns_are_counted_one_by_one_whatever_shapes_rows_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.data.column_use.MOST_SHAPES", 3)
    rows = [{**row, f"c{n % 5}": value} for n, row in enumerate(numbered(20)) for value in ("x" if n % 2 else "",)]
    rows += [{**row, "c0": value} for row, value in zip(numbered(4), (float("nan"), None, 0, []), strict=True)]
    counts = {name: use.rows for name, use in read(*rows).report.columns.items()}
    # c0 at 0, 5, 10, 15, of which 5 and 15 are filled; then NaN and null are nothing, 0 and an empty list are there.
    assert counts == {"prompt": 24, "chosen": 24, "rejected": 24, "c0": 4, "c1": 2, "c2": 2, "c3": 2, "c4": 2}


def test_two_halves_of_a_prompt_are_told_how_to_join() -> None:
    rows = [{"instruction": f"Do {n}", "input": f"x{n}", "answer_a": "a", "answer_b": "b", "label": "a"} for n in "12"]
    with pytest.raises(
        InputError, match=r"--columns prompt=instruction, or where together.*prompt: .instruction, input."
    ):
        read(*rows)
    with pytest.raises(InputError, match=r"'input' .a second half of the prompt"):
        read(*rows, columns={"prompt": "instruction"})


def test_who_won_is_not_passed_over_where_one_column_is_called_chosen() -> None:
    rows = [{"prompt": f"Q{n}", "one": "a", "two": "b", "winner": "model_b"} for n in range(2)]
    named = {"prompt": "prompt", "chosen": "one", "rejected": "two"}
    with pytest.raises(InputError, match=r"'winner' .who won, .*memory:1.*--columns left=.*label=winner"):
        read(*rows, columns=named)
    assert len(read(*rows, columns=named, ignore=("winner",)).pairs) == 2
    decided = read(*rows, columns={"prompt": "prompt", "left": "one", "right": "two", "label": "winner"})
    assert [pair.chosen for pair in decided.pairs] == ["b", "b"]
    assert len(read(*[{**PAIR, "prompt": row["prompt"], "winner": "x"} for row in rows]).pairs) == 2


def test_every_column_is_accounted_for(tmp_path: Path) -> None:
    rows = [
        {**PAIR, "id": "a", "model": "m"},
        {"prompt": "R", "chosen": "x", "rejected": "y", "id": "b", "model": None},
    ]
    check(rows, tmp_path)
    columns = json.loads((tmp_path / "contract.json").read_text())["columns"]
    assert columns == {
        "chosen": {"role": "chosen", "rows": 2},
        "id": {"role": "id", "rows": 2},
        "prompt": {"role": "prompt", "rows": 2},
        "rejected": {"role": "rejected", "rows": 2},
        "model": {"role": "unused", "rows": 1},
    }
