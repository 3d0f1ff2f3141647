"""Held-out pairs, votes and capability in one verdict: each criterion on its own evidence, nothing missing passes."""

from __future__ import annotations

import pytest

from assay.errors import GateError
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import Slice
from assay.gate import Evidence, Verdict, load_criteria
from assay.gate.criteria import parse
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.joined_evidence import JoinedEvidence, decide_joined, untested
from assay.stats.intervals import Interval
from tests.gate.proofs import proof, reload
from tests.gate.test_study_criteria import Analysis, rate


def figure(name: str, low: float, high: float, **more: object) -> Finding:
    interval = Interval(low=low, high=high, level=0.95, method="test")
    return measured(EVERY_FIGURE[name], (low + high) / 2, n=300, interval=interval, **more)  # type: ignore[arg-type]


class Run(Analysis):
    seeds = (0,)


def joined(votes: Finding, lost: Finding | None, *, checks: bool = True) -> JoinedEvidence:
    run = Evidence(
        figures=Run(figure("accuracy", 0.7, 0.8)), split=proof(), self_checks={0: reload(passed=checks)},
        inputs={"audit.json": "sha256:audit"},
    )  # fmt: skip
    test = untested("give one")
    if lost is not None:
        test = Evidence(figures=Analysis(lost), source="capability test", counted="question", inputs={"c": "sha256:c"})
    study = Evidence(figures=Analysis(votes), source="study", counted="vote", inputs={"study": "sha256:s"})
    return JoinedEvidence(run=run, study=study, capability=test)


def words(verdict: Verdict) -> list[str]:
    return [one.verdict for one in verdict.criteria[:3]]


WON, KEPT = rate(0.72, 0.05), figure("capability_drop", -0.01, 0.015)


@pytest.mark.parametrize(
    ("votes", "lost", "expected", "verdict"),
    [
        (WON, KEPT, ["pass", "pass", "pass"], "pass"),
        (rate(0.64, 0.05), KEPT, ["pass", "undecided", "pass"], "undecided"),
        (rate(0.5, 0.05), KEPT, ["pass", "fail", "pass"], "fail"),
        (WON, figure("capability_drop", -0.01, 0.03), ["pass", "pass", "undecided"], "undecided"),
        (WON, figure("capability_drop", 0.025, 0.05), ["pass", "pass", "fail"], "fail"),
        (WON, unknown(EVERY_FIGURE["capability_drop"], "at chance"), ["pass", "pass", "fail"], "fail"),
        (WON, None, ["pass", "pass", "fail"], "fail"),
    ],
)
def test_the_gate_of_a_tuned_policy(votes: Finding, lost: Finding | None, expected: list[str], verdict: str) -> None:
    found = decide_joined(joined(votes, lost), load_criteria("dpo-policy"))
    assert words(found) == expected
    # "not degenerate" has no figure here, and so fails; what is asked is what the three come to.
    assert worst_of(found) == verdict
    assert found.inputs["audit.json"] == "sha256:audit"
    assert found.inputs["study"] == "sha256:s"
    assert [one.counted for one in found.criteria[:2]] == ["pair", "vote"]


def worst_of(found: Verdict) -> str:
    three = words(found)
    return next(word for word in ("fail", "undecided", "pass") if word in three)


def test_votes_of_programs_are_no_votes_of_people() -> None:
    simulated = rate(0.9, 0.05, where=Slice("judges", "simulated"))
    nobody = unknown(EVERY_FIGURE["win_rate"], "only programs judged (simulated), and they are no people")
    evidence = joined(nobody, KEPT)
    both = Evidence(figures=Analysis(nobody, simulated), source="study", counted="vote")
    evidence = JoinedEvidence(run=evidence.run, study=both, capability=evidence.capability)
    assert words(decide_joined(evidence, load_criteria("dpo-policy"))) == ["pass", "fail", "pass"]
    found = decide_joined(evidence, load_criteria("dpo-simulated"))
    assert words(found) == ["pass", "pass", "pass"]
    assert str(found.criteria[1].slice) == "judges=simulated"
    assert parse("judges llm > 0.6").slice == Slice("judges", "llm")


def test_a_self_check_that_failed_fails_and_no_criteria_are_refused() -> None:
    found = decide_joined(joined(WON, KEPT, checks=False), load_criteria("dpo-policy"))
    assert {one.text: one.verdict for one in found.criteria}["self-checks pass"] == "fail"
    assert found.verdict == "fail"
    with pytest.raises(GateError, match="no criteria"):
        decide_joined(joined(WON, KEPT), [])
