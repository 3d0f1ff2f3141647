"""Training pairs by votes and without suspected labels: who stays, with what weight, and everyone else counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.data.config import SelectConfig, SplitConfig
from assay.data.grouped_split import split
from assay.data.made_mark import made_kind, mark
from assay.data.training_selection import selected
from assay.errors import ConfigError, InputError, SplitError
from assay.records import Choice, Pair, Vote


def pair(name: str, *choices: Choice, weight: float = 1.0) -> Pair:
    votes = tuple(Vote(choice=choice) for choice in choices)
    return Pair(id=name, prompt=f"Prompt {name}", chosen="Yes.", rejected="No.", votes=votes, weight=weight)


UNANIMOUS = pair("all", "chosen", "chosen", "chosen")
MAJORITY = pair("most", "chosen", "chosen", "chosen", "rejected", "abstain", weight=2.0)
EVEN = pair("even", "chosen", "rejected")
SILENT = pair("none")
PAIRS = [UNANIMOUS, MAJORITY, EVEN, SILENT]
GROUPS = ["a", "b", "c", "d"]


def test_by_agreement_narrow_majorities_go_and_pairs_without_votes_stay() -> None:
    found = selected(PAIRS, GROUPS, SelectConfig(min_agreement=0.75))
    assert [one.id for one in found.pairs] == ["all", "most", "none"]
    assert found.groups == ["a", "b", "d"]
    assert found.left_out == {"low_agreement": 1}
    unanimous = selected(PAIRS, GROUPS, SelectConfig(min_agreement=1.0))
    assert [one.id for one in unanimous.pairs] == ["all", "none"]


def test_votes_weigh_by_their_margin() -> None:
    found = selected(PAIRS, GROUPS, SelectConfig(weight="votes"))
    # 3 of 3: 1. 3 of 4 that judged: 2 x 0.75 - 1 = 0.5, times its own 2. 1 of 2: nothing, so it is left out.
    assert {one.id: one.weight for one in found.pairs} == {"all": 1.0, "most": 1.0, "none": 1.0}
    assert found.left_out == {"even_votes": 1}


def test_suspected_labels_go_from_the_training_side_only_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "suspected_labels.jsonl"
    path.write_text('{"id": "most", "prompt": "x"}\n\n{"id": "held"}\n{"id": "nobody"}\n')
    found = selected(PAIRS, GROUPS, SelectConfig(without=str(path)), held_out=[pair("held")])
    assert [one.id for one in found.pairs] == ["all", "even", "none"]
    assert (found.left_out, found.suspected_held_out, found.suspected_unknown) == ({"suspected": 1}, 1, 1)


def test_files_that_say_nothing_and_votes_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n{"name": "b"}\n')
    with pytest.raises(InputError, match=r"rows.jsonl:2: a row without an id"):
        selected(PAIRS, GROUPS, SelectConfig(without=str(path)))
    with pytest.raises(InputError, match="cannot be read"):
        selected(PAIRS, GROUPS, SelectConfig(without=str(tmp_path / "gone.jsonl")))
    path.write_text("{")
    with pytest.raises(InputError, match=r"rows.jsonl:1: no JSON"):
        selected(PAIRS, GROUPS, SelectConfig(without=str(path)))
    with pytest.raises(ConfigError, match="no training pair has any"):
        selected([SILENT], ["a"], SelectConfig(min_agreement=0.7))
    with pytest.raises(InputError, match=r"No training pair is left \(low_agreement 1\)"):
        selected([EVEN], ["a"], SelectConfig(min_agreement=0.7))


def made(name: str) -> Pair:
    origin = pair(name)
    return Pair(
        id=f"{name}/made", prompt=origin.prompt, chosen="Yes.", rejected="Yes yes.", source=mark("rrm x", origin)
    )


def test_only_unanimous_and_judged_pairs_are_held_out() -> None:
    unanimous = [pair(f"u{i}", "chosen", "chosen") for i in range(10)]
    divided = [pair(f"d{i}", "chosen", "chosen", "rejected") for i in range(10)]
    pairs = [*unanimous, *divided, made("u0"), made("u1")]
    groups = [one.id.split("/")[0] for one in pairs]
    sides = split(pairs, config=SplitConfig(holdout=6, min_agreement=1.0), groups=groups)
    held = {one.id for one in sides.held_out}
    assert len(held) == 6
    assert held <= {f"u{i}" for i in range(2, 10)}  # u0 and u1 stay with what was made of them
    assert len(sides.train) == 16
    assert sides.proof.pairs_not_held_out == 14
    assert sides.proof.min_agreement == 1.0
    assert sides.proof.categories["(none)"].wanted == 6.0
    # without asking for agreement, made pairs and their groups are still no evidence
    plain = split(pairs, config=SplitConfig(holdout=8), groups=groups)
    assert not [one for one in plain.held_out if made_kind(one) or one.id in ("u0", "u1")]
    with pytest.raises(SplitError, match="14 pairs cannot be held out"):
        split(pairs, config=SplitConfig(holdout=8, min_agreement=1.0), groups=groups)
