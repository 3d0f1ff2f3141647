"""Criteria on a study's figures: words, verdicts by bound and point, and nothing passes on missing evidence."""

from __future__ import annotations

from typing import Any

import pytest

from assay.errors import GateError
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.gate import Evidence, decide
from assay.gate.criteria import load_criteria, parse
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.intervals import Interval


class Analysis:
    """The least a gate asks of an analysis."""

    seeds: tuple[int, ...] = ()

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings

    def find(self, name: str, where: Slice = OVERALL) -> Finding | None:
        return next((f for f in self.findings if (f.name, f.slice) == (name, where)), None)


def rate(value: float, half: float, *, name: str = "win_rate", where: Slice = OVERALL, **detail: Any) -> Finding:
    interval = Interval(low=value - half, high=value + half, level=0.95, method="test")
    told = {"clusters": 50, "design_effect": 1.5, **detail}
    return measured(EVERY_FIGURE[name], value, n=150, interval=interval, slice=where, detail=told)


def verdict(text: str, *findings: Finding) -> Any:
    evidence = Evidence(figures=Analysis(*findings), source="study", counted="vote")
    return decide(evidence, [parse(text)]).criteria[0]


@pytest.mark.parametrize(
    ("text", "kind", "part", "where", "finding"),
    [
        ("win rate > 0.6", "overall", None, "overall", "win_rate"),
        ("win rate without ties > 60%", "overall", None, "overall", "win_rate_without_ties"),
        ("length-controlled win rate > 0.5", "overall", None, "overall", "length_controlled_win_rate"),
        ("every category win rate > 0.5", "every_category", "category", None, "win_rate"),
        ("category refunds win rate > 0.5", "category", None, "category=refunds", "win_rate"),
        ("aspect harmless > 0.45", "category", None, "aspect=harmless", "win_rate"),
        ('aspect "good tone" win rate > 0.45', "category", None, "aspect=good tone", "win_rate"),
        ("every editor self-consistency > 0.6", "every_category", "editor", None, "self_consistency"),
        ("every category > 0.65", "every_category", "category", None, "accuracy"),
        ("alpha > -0.1", "overall", None, "overall", "alpha"),
    ],
)
def test_words_of_a_study(text: str, kind: str, part: str | None, where: str | None, finding: str) -> None:
    found = parse(text)
    assert (found.kind, found.part, found.finding) == (kind, part, finding)
    assert (None if found.slice is None else str(found.slice)) == where


def test_by_bound_and_by_point() -> None:
    assert verdict("win rate > 0.5", rate(0.6, 0.05)).verdict == "pass"
    assert verdict("win rate > 0.5", rate(0.4, 0.05)).verdict == "fail"
    open_ = verdict("win rate > 0.5", rate(0.54, 0.08))
    assert (open_.verdict, open_.more_pairs is not None) == ("undecided", True)
    assert verdict("win rate > 0.5 by point", rate(0.54, 0.08)).verdict == "pass"
    assert "150 votes" in open_.reason


def test_more_votes_are_told_as_prompts() -> None:
    # 150 votes on 50 prompts: three votes a prompt.
    open_ = verdict("win rate > 0.5", rate(0.54, 0.08))
    assert open_.more_prompts == -(-open_.more_pairs // 3)
    assert open_.to_body().more_prompts == open_.more_prompts


def test_missing_evidence_fails() -> None:
    assert "the study has no win rate" in verdict("win rate > 0.5").reason
    assert verdict("win rate > 0.5", unknown(EVERY_FIGURE["win_rate"], "nobody voted")).verdict == "fail"
    bare = measured(EVERY_FIGURE["win_rate"], 0.9, n=3, detail={})
    assert "no interval" in verdict("win rate > 0.5", bare).reason
    assert verdict("every category win rate > 0.5", rate(0.9, 0.01)).verdict == "fail"
    assert verdict("every aspect > 0.1", rate(0.9, 0.01)).reason == (
        "the study has no aspects, so none of them is shown to hold"
    )
    for text in ("no prompt overlap", "not degenerate", "beats the length baseline", "overall accuracy > 0.5"):
        assert verdict(text, rate(0.9, 0.01)).verdict == "fail"


def test_every_part_is_asked() -> None:
    parts = [rate(0.6, 0.05, where=Slice("aspect", "helpful")), rate(0.4, 0.05, where=Slice("aspect", "harmless"))]
    found = verdict("every aspect > 0.5", *parts)
    assert found.verdict == "fail"
    assert "harmless" in found.reason
    assert verdict("aspect helpful > 0.5", *parts).verdict == "pass"


def test_thresholds_that_decide_nothing_are_refused() -> None:
    for text in ("win rate > 1.2", "alpha > 2", "majority p value < 5"):
        with pytest.raises(GateError, match="decides nothing"):
            parse(text)
    with pytest.raises(GateError, match="by point"):
        parse("coverage > 0.9 by bound")


def test_the_built_in_set_asks_for_more_than_half_by_bound() -> None:
    (found,) = load_criteria("study")
    assert (found.finding, found.operator, found.threshold, found.by) == ("win_rate", ">", 0.5, "bound")
