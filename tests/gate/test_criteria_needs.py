"""What criteria need before labels are bought, held against simulated audits decided by the gate's own rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from assay.cli.main import build
from assay.errors import GateError
from assay.gate.criteria import parse
from assay.gate.criteria_needs import Hope, plan
from assay.gate.looks import LookPlan
from assay.stats.intervals import Interval, cluster_wilson


def test_one_criterion_by_hand() -> None:
    # (1.96 sqrt(0.72 * 0.28) + 0.8416 sqrt(0.75 * 0.25))^2 / 0.03^2 = 1,724
    needed = plan([parse("overall accuracy > 0.72")], Hope(accuracy=0.75)).needs[0].needed
    assert needed == pytest.approx(1724, rel=0.04)
    shared = Hope(accuracy=0.75, pairs_per_prompt=3, icc=0.5)  # a design effect of 2
    twice = plan([parse("overall accuracy > 0.72")], shared).needs[0].needed
    assert twice == pytest.approx(2 * 1724, rel=0.04)


@pytest.mark.parametrize(("rate", "ties", "prompts"), [(0.65, 0.0, 398), (0.7, 0.0, 99), (0.75, 0.2, 33)])
def test_a_study_is_planned_against_the_criterion_s_own_threshold(rate: float, ties: float, prompts: int) -> None:
    """The numbers at which simulated studies of three votes a prompt passed in 80%."""
    found = plan([parse("win rate > 0.6")], Hope(win_rate=rate, ties=ties), prompts=50).needs[0]
    assert (found.counted, found.needed) == ("prompts", prompts)
    assert found.chance == pytest.approx({0.65: 0.14, 0.7: 0.51, 0.75: 0.93}[rate], abs=0.03)


@pytest.mark.parametrize("truth", [0.75, 0.78, 0.8])
def test_the_chance_is_that_of_simulated_audits(truth: float) -> None:
    """Overall above 0.72 and five categories above 0.65 on 1,000 pairs of 500 prompts, by the gate's own interval."""
    names = {f"c{place}": truth for place in range(5)}
    criteria = [parse("overall accuracy > 0.72"), parse("every category > 0.65")]
    told = plan(criteria, Hope(accuracy=truth, categories=names, pairs_per_prompt=2, icc=0.3), pairs=1000).together
    assert told is not None
    random = np.random.default_rng(1)
    passed = []
    for _ in range(300):
        # Two pairs of a prompt are the same draw with probability icc, which makes their correlation icc.
        own, shared = random.random((2, 500)) < truth, random.random(500) < truth
        right = np.where(random.random(500) < 0.3, shared, own)
        bounds = [cluster_wilson(right.T.ravel(), np.repeat(np.arange(500), 2))]
        bounds += [cluster_wilson(right[:, c::5].T.ravel(), np.repeat(np.arange(100), 2)) for c in range(5)]
        lows = [bound.low for bound in bounds if isinstance(bound, Interval)]
        passed.append(lows[0] > 0.72 and min(lows[1:]) > 0.65)
    assert told.chance == pytest.approx(np.mean(passed), abs=0.09)


def test_what_no_number_of_pairs_would_pass_and_what_needs_none() -> None:
    found = plan(
        [parse("overall accuracy > 0.72"), parse("not degenerate"), parse("length matched accuracy > 0.6")],
        Hope(accuracy=0.72),
    )
    assert [need.needed for need in found.needs] == [None, None, None]
    assert "does not clear the threshold" in found.needs[0].why
    assert "not known before there are pairs" in found.needs[2].why
    assert found.together is None


def test_what_is_not_hoped_for_is_asked_for() -> None:
    with pytest.raises(GateError, match="--accuracy"):
        plan([parse("overall accuracy > 0.72")], Hope())
    with pytest.raises(GateError, match="needs categories"):
        plan([parse("every category > 0.65")], Hope(accuracy=0.8))
    with pytest.raises(GateError, match="share from 0 to 1"):
        Hope(accuracy=78)


def test_the_command() -> None:
    runner = CliRunner()
    result = runner.invoke(build(), ["plan", "--accuracy", "0.78", "--categories", "5", "--pairs", "1000"])
    assert result.exit_code == 0, result.output
    assert "all of these together" in result.output
    assert "1,000 pairs pass with 93%" in result.output
    assert runner.invoke(build(), ["plan", "--categories", "5"]).exit_code != 0


def test_looks_that_share_the_error_rate_need_more_pairs_each() -> None:
    """Three looks: 98.33% each, so (2.3940 sqrt(0.72 * 0.28) + 0.8416 sqrt(0.75 * 0.25))^2 / 0.03^2 = 2,299."""
    criteria, hope = [parse("overall accuracy > 0.72"), parse("accuracy > 0.72 every seed")], Hope(accuracy=0.75)
    three = plan(criteria, hope, looks=LookPlan(planned=3))
    assert three.needs[0].needed == pytest.approx(2299, rel=0.04)
    assert three.level == pytest.approx(1 - 0.05 / 3)
    late = plan(criteria, hope, looks=LookPlan(planned=3, spending="late"))
    alone = plan(criteria, hope)
    assert alone.needs[0].needed < late.needs[0].needed < three.needs[0].needed
    assert "how seeds differ is not known" in three.needs[1].why
    assert three.to_dict()["looks"] == {"planned": 3, "spending": "equal", "level": three.level}


def test_the_command_names_the_looks_of_the_criteria_and_of_the_option(tmp_path: Path) -> None:
    file = tmp_path / "criteria.yaml"
    file.write_text("looks: 4\ncriteria: [overall accuracy > 0.72]\n")
    asked = ["plan", "--accuracy", "0.78", "--criteria", str(file)]
    told = CliRunner().invoke(build(), asked).output
    assert "4 looks share the error rate: each is decided by intervals at 98.75%" in told
    assert "2 looks share the error rate" in CliRunner().invoke(build(), [*asked, "--looks", "2"]).output
    assert "looks" not in CliRunner().invoke(build(), ["plan", "--accuracy", "0.78"]).output
