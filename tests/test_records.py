"""The values every stage speaks in."""

from __future__ import annotations

from assay.records import Candidates, Pair, Vote


def test_a_pair_swapped_twice_is_itself() -> None:
    votes = (
        Vote(choice="chosen", annotator="a", shown_left="rejected"), Vote(choice="rejected"), Vote(choice="tie"),
        Vote(choice="abstain", shown_left="chosen"),
    )  # fmt: skip
    pair = Pair(id="p", prompt="Q", chosen="x", rejected="y", votes=votes, margin=2.0, weight=0.5)
    turned = pair.swapped()
    assert (turned.chosen, turned.rejected, turned.margin, turned.weight) == ("y", "x", 2.0, 0.5)
    assert [(vote.choice, vote.shown_left) for vote in turned.votes] == [
        ("rejected", "chosen"), ("chosen", None), ("tie", None), ("abstain", "rejected"),
    ]  # fmt: skip
    assert turned.swapped() == pair


def test_records_with_a_source_can_stand_in_sets() -> None:
    pair = Pair(id="p", prompt="Q", chosen="x", rejected="y", source={"batch": [1]})
    group = Candidates(id="g", prompt="Q", answers=("x",), source={"batch": [1]})
    assert {pair, pair} == {pair}
    assert {group, group} == {group}
