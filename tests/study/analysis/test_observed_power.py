"""What a study that was held could see: by the plan's own formula, at the level of the analysis."""

from __future__ import annotations

import pytest

from assay.findings.finding import measured, unknown
from assay.stats.intervals import Interval
from assay.study.analysis.analyse import analyse
from assay.study.analysis.ballots import ballots
from assay.study.analysis.observed_power import observed_power, prompts_to_see
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.config import AnalysisConfig
from assay.study.plan.study_power import study_power
from tests.study.simulated import Truth, closed_study


def test_the_power_at_the_prompts_needed_is_eighty_percent() -> None:
    for rate in (0.55, 0.65):
        needed = prompts_to_see(rate, editors=3, icc=0.3, ties=0.2, level=0.95)
        seen = study_power(prompts=needed, editors=3, icc=0.3, ties=0.2).power_at[f"{rate:.0%}"]
        assert seen == pytest.approx(0.8, abs=0.03)


def test_the_level_of_the_analysis_counts() -> None:
    closed = closed_study(Truth(rate=0.6))
    usual, strict = (analyse(closed, config=AnalysisConfig(level=level)).tables.power for level in (0.95, 0.99))
    assert usual is not None
    assert strict is not None
    assert (usual.level, strict.level) == (0.95, 0.99)
    assert strict.half_width > usual.half_width
    assert all(strict.prompts_for[rate] > needed for rate, needed in usual.prompts_for.items())
    assert all(strict.power_at[rate] < power for rate, power in usual.power_at.items())


def test_unknown_likeness_of_one_vote_a_prompt_does_not_matter() -> None:
    found = ballots(closed_study(editors=closed_study().study.editors[:1]).votes, "tuned")
    alone = observed_power(found, unknown(MEANINGS["icc"], "every prompt has one vote"), level=0.95)
    assert alone is not None
    assert (alone.icc, alone.icc_measured) == (0.0, None)
    assert observed_power(found, None, level=0.95) is None
    alike = measured(MEANINGS["icc"], 0.4, n=50, interval=Interval(low=0, high=1, level=0.95, method="by hand"))
    known = observed_power(found, alike, level=0.95)
    assert known is not None
    assert known.half_width == pytest.approx(alone.half_width)
