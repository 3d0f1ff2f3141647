"""Accuracy on fresh pairs and its drop: by hand, with planted answers, and never from pairs that were chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.fresh_findings import Static, fresh_findings, outcome_of
from assay.audits.fresh.fresh_labels import LabelledPair, Tally, right, right_by_judge
from assay.findings.finding import Finding
from assay.stats.independent_difference import independent_difference
from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.unknown import Unknown

HELD_OUT = Static(value=0.9, interval=Interval(low=0.88, high=0.92, level=0.95, method="test"), n=1000)
NOT_KNOWN = Static(value=Unknown("nobody audited it"), interval=Unknown("none"))


def world(n: int = 200, *, drawn: int = 100, wrong: int = 4, judge: float | None = None) -> list[LabelledPair]:
    """Pair k has two voters of one mind for a; the reward is wrong on every `wrong`-th, a judge agrees in `judge`."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(n):
        said = None if judge is None else (1.0 if rng.random() < judge else -1.0)
        margin = -0.5 if k % wrong == 0 else 2.0
        tally = Tally(a=2) if k < drawn else None
        rows.append(LabelledPair(group=f"g{k}", drawn=k < drawn, margins={"0": margin}, tally=tally, judged=said))
    return rows


def found(
    pairs: list[LabelledPair], static: Static = HELD_OUT, *, voters: str = "human", judge: bool = False
) -> dict[tuple[str, str], Finding]:
    findings = fresh_findings(
        pairs, static, voters=voters, min_agreement=0.6, config=FreshConfig(), judge=judge,  # type: ignore[arg-type]
    )  # fmt: skip
    return {(one.name, str(one.slice)): one for one in findings}


@pytest.mark.parametrize(
    ("tally", "preferred"),
    [
        (Tally(a=2, b=1), "a"), (Tally(a=1, b=2), "b"), (Tally(a=1, b=1), None), (Tally(ties=3), None), (Tally(), None),
        (Tally(a=1, ties=1), None), (Tally(a=3, b=1, ties=1), "a"),
    ],
)  # fmt: skip
def test_a_majority_decides_as_in_the_contract(tally: Tally, preferred: str | None) -> None:
    assert tally.preferred(0.6) == preferred


def test_a_tie_and_a_reward_that_is_not_finite_are_wrong_and_seeds_are_averaged() -> None:
    assert right("a", {"0": 1.0, "1": -1.0}) == 0.5
    assert right("b", {"0": 1.0, "1": -1.0}) == 0.5
    assert right("a", {"0": 0.0}) == right("b", {"0": 0.0}) == right("a", {"0": None}) == 0.0
    assert right_by_judge(0.0, {"0": 1.0}) == 0.5
    assert right_by_judge(-2.0, {"0": -1.0}) == 1.0
    assert np.isnan(right_by_judge(None, {"0": 1.0}))


def test_accuracy_and_drop_by_people_alone() -> None:
    figures = found(world())
    accuracy, drop = figures["fresh_accuracy", "overall"], figures["fresh_drop", "overall"]
    labels = [float(k % 4 != 0) for k in range(100)]
    assert (accuracy.known, accuracy.n) == (0.75, 100)
    assert accuracy.interval == cluster_wilson(labels, np.arange(100))
    assert accuracy.detail["clusters"] == 100  # so that the gate can say how many more would decide
    assert drop.known == pytest.approx(0.15)
    assert isinstance(HELD_OUT.interval, Interval)
    assert isinstance(accuracy.interval, Interval)
    assert drop.interval == independent_difference(0.9, HELD_OUT.interval, 0.75, accuracy.interval)
    assert drop.verdict == "problem"  # all of it beyond what is tolerated


def test_pairs_chosen_as_unsure_are_in_no_estimate() -> None:
    pairs = world()
    wrong = [replace(one, tally=Tally(b=2)) if not one.drawn else one for one in pairs]
    figures, others = found(pairs), found(wrong)
    for name in ("fresh_accuracy", "fresh_drop", "fresh_accuracy_alone"):
        assert figures[name, "overall"] == others[name, "overall"]
    assert figures["unsure_accuracy", "overall"].known is None
    assert others["unsure_accuracy", "overall"].known == pytest.approx(0.25)


def test_undecided_pairs_are_neither_right_nor_wrong_and_counted() -> None:
    pairs = [replace(one, tally=Tally(a=1, b=1)) if k < 20 else one for k, one in enumerate(world())]
    accuracy = found(pairs)["fresh_accuracy", "overall"]
    assert (accuracy.n, accuracy.detail["undecided"], accuracy.detail["labelled"]) == (80, 20, 100)
    assert accuracy.known == 0.75


def test_a_good_judge_saves_votes_and_a_bad_one_does_no_harm() -> None:
    good = found(world(1000, drawn=120, judge=0.95), judge=True)
    assert good["votes_saved", "overall"].known is not None
    assert good["votes_saved", "overall"].known > 40
    assert good["fresh_judge_agreement", "overall"].known > 0.9  # type: ignore[operator]
    assert wide(good["fresh_accuracy", "overall"]) < wide(good["fresh_accuracy_alone", "overall"])
    for judge in (0.5, 0.2):
        bad = found(world(1000, drawn=120, judge=judge), judge=True)["fresh_accuracy", "overall"]
        assert bad.bounds is not None
        assert bad.bounds.low < 0.75 < bad.bounds.high


def wide(one: Finding) -> float:
    assert one.bounds is not None
    return one.bounds.high - one.bounds.low


def test_a_judge_that_labels_some_pairs_only_and_one_with_few_votes_beside_it() -> None:
    pairs = [replace(one, judged=None) if k % 2 else one for k, one in enumerate(world(600, drawn=120, judge=0.95))]
    figures = found(pairs, judge=True)
    assert figures["fresh_judge_agreement", "overall"].n == 60
    bounds = figures["fresh_accuracy", "overall"].bounds
    assert bounds is not None
    assert bounds.low < 0.75 < bounds.high
    few = found(world(600, drawn=30, judge=0.95), judge=True)
    assert "below 50" in str(few["votes_saved", "overall"].reason)
    assert few["fresh_accuracy", "overall"].known == few["fresh_accuracy_alone", "overall"].known


def test_programs_are_no_people_and_what_is_missing_is_unknown() -> None:
    figures = found(world(), voters="simulated")
    assert figures["fresh_accuracy", "judges=simulated"].known == 0.75
    assert figures["fresh_accuracy", "overall"].known is None
    assert "no people" in str(figures["fresh_drop", "overall"].reason)
    unheld = found(world(), NOT_KNOWN)["fresh_drop", "overall"]
    assert "held-out accuracy is not known: nobody audited it" in str(unheld.reason)
    nobody = found([replace(one, tally=None) for one in world()])
    assert "nobody labelled" in str(nobody["fresh_accuracy", "overall"].reason)
    undecided = found([replace(one, tally=Tally(ties=2)) for one in world()])
    assert "decided on none" in str(undecided["fresh_drop", "overall"].reason)


@pytest.mark.parametrize(("wrong", "held_out", "word"), [(4, 0.9, "drops"), (4, 0.6, "holds"), (4, 0.78, "undecided")])
def test_the_word_follows_the_interval_of_the_drop(wrong: int, held_out: float, word: str) -> None:
    interval = Interval(low=held_out - 0.02, high=held_out + 0.02, level=0.95, method="test")
    static = Static(value=held_out, interval=interval, n=1000)
    figures = list(found(world(wrong=wrong), static).values())
    said, sentence = outcome_of(figures, voters="human", config=FreshConfig())
    assert said == word
    assert "Right on 75.0% of 100 fresh pairs" in sentence
    said, sentence = outcome_of(list(found(world(), NOT_KNOWN).values()), voters="human", config=FreshConfig())
    assert said == "undecided"
