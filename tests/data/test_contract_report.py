"""contract.json is made and written in one place, and adds up also after the length gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.split_body import SplitBody
from assay.data import check, read_pairs, split
from assay.data.config import SplitConfig
from assay.data.contract_report import with_rejects, write_contract
from assay.data.intake import groups_of
from assay.data.native_rows import write_split
from assay.errors import ArtifactError
from assay.records import Reject

ROWS: list[dict[str, Any]] = [
    {"prompt": f"question {n}", "chosen": f"good {n}", "rejected": f"bad {n}", "category": (None, "a", "b")[n % 3]}
    for n in range(12)
]
BROKEN: list[dict[str, Any]] = [{"prompt": "Q", "category": "a"}, {"prompt": "R", "category": "c"}]


def test_later_rejects_move_between_counts_and_nothing_else_changes() -> None:
    found = read_pairs([*ROWS, *BROKEN])
    gone = [pair for pair in found.pairs if pair.where.line in (1, 2, 4)]
    rejects = [Reject(where=p.where, reason="too_long", detail="long", category=p.category) for p in gone]
    report = with_rejects(found.report, rejects)
    assert (report.rows, report.kept, report.rejected) == (14, 9, 5)
    assert {reason: n for reason, n in report.rejects.items() if n} == {"missing_field": 2, "too_long": 3}
    assert {name: (count.kept, count.rejected) for name, count in report.by_category.items()} == {
        "a": (3, 2), "b": (4, 0), "c": (0, 1), "(none)": (2, 2),
    }  # fmt: skip
    assert report.by_category["a"].reasons == {"missing_field": 1, "too_long": 1}
    assert report.categories == {"a": 3, "b": 4, "c": 0, "(none)": 2}
    moved = {"kept", "rejected", "rejects", "for_review", "categories", "by_category"}
    assert report.model_dump(exclude=moved) == found.report.model_dump(exclude=moved)
    assert with_rejects(found.report, []) == found.report


def test_rejects_for_review_are_counted_as_such() -> None:
    found = read_pairs(ROWS)
    tie = Reject(where=found.pairs[0].where, reason="tie", detail="even", category=found.pairs[0].category)
    assert with_rejects(found.report, [tie]).for_review == found.report.for_review + 1


def test_both_ways_of_writing_write_the_same(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, [*ROWS, ROWS[0], *BROKEN])))
    check(path, tmp_path / "streamed")
    found = read_pairs(path)
    write_contract(tmp_path / "kept", found.report, found.rejects)
    for name in ("rejects.jsonl", "review.jsonl"):
        assert (tmp_path / "kept" / name).read_bytes() == (tmp_path / "streamed" / name).read_bytes()
    bodies = [ContractBody.read(tmp_path / part / "contract.json") for part in ("kept", "streamed")]
    assert bodies[0].model_copy(update={"seconds": {}}) == bodies[1].model_copy(update={"seconds": {}})


def test_what_is_written_keeps_its_form(tmp_path: Path) -> None:
    """The keys, in their order, that other programs may read; a row of pairs says nothing of candidates."""
    found = read_pairs(ROWS)
    found.report.write(tmp_path / "contract.json")
    assert list(orjson.loads((tmp_path / "contract.json").read_bytes())) == [
        "schema", "rows", "kept", "rejected", "rejects", "for_review", "ties_kept", "repeated_ids", "categories",
        "by_category", "agreement", "overlap", "lengths", "layout", "columns", "source", "inputs", "config", "warnings",
            "seconds",
    ]  # fmt: skip
    sides = split(found.pairs, config=SplitConfig(holdout=3), groups=found.groups)
    body = write_split(tmp_path, sides, inputs={"f": "sha256:0"})
    keys = [
        "schema", "seed", "rounding", "holdout_wanted", "pairs_held_out", "pairs_train", "groups", "groups_held_out",
        "groups_train", "shared_groups", "prompts_held_out", "prompts_train", "shared_prompts", "largest_group",
        "categories", "held_out_sha256", "train_sha256",
    ]  # fmt: skip
    assert list(orjson.loads((tmp_path / "split.json").read_bytes())) == [*keys, "inputs"]
    assert SplitBody.read(tmp_path / "split.json") == body
    sides.proof.write(tmp_path / "split.json")  # as a run folder holds it: run.json has the inputs
    assert list(orjson.loads((tmp_path / "split.json").read_bytes())) == keys


def test_a_body_of_another_form_is_refused_in_a_sentence(tmp_path: Path) -> None:
    report = read_pairs(ROWS).report
    report.write(tmp_path / "contract.json")
    value = orjson.loads((tmp_path / "contract.json").read_bytes()) | {"rows": "many"}
    (tmp_path / "contract.json").write_bytes(orjson.dumps(value))
    with pytest.raises(ArtifactError, match="rows is not what that holds"):
        ContractBody.read(tmp_path / "contract.json")


def test_groups_of_some_pairs_are_a_slice_and_never_finer() -> None:
    """b links a and c: without it the slice keeps them together, where they alone would be two groups."""
    words = [f"w{n}" for n in range(40)]
    a, b, c = words, [*words[:36], *"pqrs"], [*words[:34], *"tu", *"pqrs"]
    rows = [{"prompt": " ".join(text), "chosen": f"x{n}", "rejected": "y"} for n, text in enumerate((a, b, c))]
    found = read_pairs(rows)
    assert len(set(found.groups)) == 1
    assert groups_of(found.pairs, found.pairs, found.groups) == found.groups
    rest = [found.pairs[0], found.pairs[2]]
    assert groups_of(rest, found.pairs, found.groups) == [found.groups[0], found.groups[2]]
    assert len({*read_pairs(rest).groups}) == 2
    other = read_pairs(ROWS)
    some = other.pairs[7:2:-2]
    assert groups_of(some, other.pairs, other.groups) == [other.groups[place] for place in (7, 5, 3)]
    assert len({*other.groups}) == len(ROWS)
