"""Criteria on what other commands found: each on its own evidence, and what is missing fails with the way to get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import GateError
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import Slice
from assay.gate import Evidence, decide, load_criteria
from assay.gate.criteria import parse, read_criteria
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import ListedFigures
from assay.gate.evidence_beside import ROOMS, decide_beside, read_beside, room_of
from assay.gate.looks import take
from assay.stats.intervals import Interval
from tests.gate.proofs import proof, reload


def figure(name: str, low: float, high: float, **more: object) -> Finding:
    interval = Interval(low=low, high=high, level=0.95, method="test")
    return measured(EVERY_FIGURE[name], (low + high) / 2, n=300, interval=interval, **more)  # type: ignore[arg-type]


def evidence(*findings: Finding, room: str | None = None) -> Evidence:
    if room is None:
        return Evidence(figures=ListedFigures(findings, (0,)), split=proof(), self_checks={0: reload(passed=True)})
    told = ROOMS[room]
    return Evidence(
        figures=ListedFigures(findings),
        source=told.source,
        counted=told.counted,
        inputs={told.artifact: f"sha256:{room}"},
    )


RUN = evidence(
    figure("length_matched_accuracy", 0.65, 0.8), figure("accuracy_beyond_style", 0.01, 0.1),
    measured(EVERY_FIGURE["degenerate"], 0.0, n=300, verdict="ok"),
    figure("probe_filler", 0.1, 0.2, verdict="ok"), figure("probe_flattery", 0.3, 0.4, verdict="warning"),
)  # fmt: skip
FRESH = evidence(figure("fresh_accuracy", 0.82, 0.9), figure("fresh_drop", -0.02, 0.03), room="fresh")


def test_the_set_before_a_policy_is_optimised_names_what_is_missing() -> None:
    criteria = load_criteria("ppo-ready")
    found = {one.text: one for one in decide_beside(RUN, {"fresh": FRESH}, criteria).criteria}
    assert len(found) == len(criteria)
    failed = {text: one.reason for text, one in found.items() if one.verdict == "fail"}
    assert set(failed) == {"turning point >= 16 by point", "gold fall < 0.1", "fit"}
    assert all("assay optimise" in why for why in failed.values())
    alone = decide_beside(RUN, {}, criteria)
    assert alone.verdict == "fail"
    why = {one.text: one.reason for one in alone.criteria}
    assert "assay fresh RUN --policy POLICY" in why["fresh accuracy > 0.8"]
    assert "--beside DIR" in why["fresh drop < 0.05"]


def test_each_criterion_is_decided_on_its_own_evidence_and_inputs_name_all() -> None:
    criteria = read_criteria(["fresh accuracy > 0.8", "fresh drop < 0.05", "length matched accuracy > 0.6"])
    found = decide_beside(RUN, {"fresh": FRESH}, criteria)
    assert [(one.verdict, one.counted) for one in found.criteria] == [
        ("pass", "fresh pair"), ("pass", "fresh pair"), ("pass", "pair"),
    ]  # fmt: skip
    assert found.inputs["fresh.json"] == "sha256:fresh"
    assert [room_of(one) for one in criteria] == ["fresh", "fresh", None]


def test_a_planned_look_widens_fresh_intervals_as_well() -> None:
    near = evidence(figure("fresh_accuracy", 0.805, 0.9), room="fresh")
    criteria = read_criteria(["fresh accuracy > 0.8"])
    from dataclasses import replace

    from assay.gate.looks import LookPlan

    look = take(1, LookPlan(planned=20), spent=0.0)
    assert decide_beside(RUN, {"fresh": near}, criteria).verdict == "pass"
    assert decide_beside(replace(RUN, look=look), {"fresh": near}, criteria).verdict == "undecided"


def test_programs_that_judged_are_no_people() -> None:
    simulated = evidence(
        unknown(EVERY_FIGURE["fresh_accuracy"], "only simulated judges judged, and they are no people"),
        figure("fresh_accuracy", 0.85, 0.95, slice=Slice("judges", "simulated")),
        room="fresh",
    )
    words = ["fresh accuracy > 0.8", "judges simulated fresh accuracy > 0.8"]
    found = decide_beside(RUN, {"fresh": simulated}, read_criteria(words))
    assert [one.verdict for one in found.criteria] == ["fail", "pass"]
    assert "no people" in found.criteria[0].reason


def test_probes_pass_only_where_they_were_asked_and_none_is_a_problem() -> None:
    said = decide(RUN, [parse("no probe is a problem")]).criteria[0]
    assert (said.verdict, said.value) == ("pass", 0.0)
    assert "Probe: flattery with a warning" in said.reason
    bad = decide(evidence(figure("probe_filler", 0.6, 0.7, verdict="problem")), [parse("no probe is a problem")])
    assert bad.criteria[0].reason == "Probe: filler is a problem"
    none = decide(evidence(), [parse("no probe is a problem")]).criteria[0]
    assert none.verdict == "fail"
    assert "--probes all" in none.reason


def test_folders_that_hold_nothing_or_the_same_twice(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"holds none of fresh\.json, pressure\.json, capability\.json"):
        read_beside([tmp_path])
