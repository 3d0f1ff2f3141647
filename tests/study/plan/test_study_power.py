"""The power statement against the reference figures, hand arithmetic and simulated studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.stats.power import power_of_t, prompt_variance
from assay.study.plan.study_power import study_power


def test_fifty_prompts_by_three_editors_is_what_the_literature_note_says() -> None:
    # deff = 1 + 2 x 0.3 = 1.6; effective votes = 150 / 1.6 = 93.75; se = sqrt(.25 / 93.75) = 0.05164;
    # t(49, .975) = 2.0096: half width 0.1038. Power at a true 60% about 48%, at 65% about 83 to 85%.
    power = study_power(prompts=50, editors=3, icc=0.3, ties=0.0)
    assert power.half_width == pytest.approx(2.0096 * 0.05164, abs=2e-4)
    assert power.power_at["60%"] == pytest.approx(0.48, abs=0.02)
    assert power.power_at["65%"] == pytest.approx(0.84, abs=0.03)


def test_ties_shrink_the_variance_by_a_quarter_of_their_share() -> None:
    # 20% ties: variance at an even split .25 - .05 = .20, so the width shrinks by sqrt(.8).
    without = study_power(prompts=80, editors=1, icc=0.0, ties=0.0)
    with_ties = study_power(prompts=80, editors=1, icc=0.0, ties=0.2)
    assert with_ties.half_width / without.half_width == pytest.approx(0.8**0.5, rel=1e-6)


def test_more_editors_help_only_as_far_as_votes_within_a_prompt_differ() -> None:
    one = study_power(prompts=50, editors=1, icc=1 - 1e-9, ties=0.0)
    many = study_power(prompts=50, editors=30, icc=1 - 1e-9, ties=0.0)
    assert many.half_width == pytest.approx(one.half_width, rel=1e-3)


def test_the_detectable_win_rate_has_eighty_percent_power() -> None:
    power = study_power(prompts=50, editors=3, icc=0.3, ties=0.1)
    assert power.detectable is not None
    again = stats.norm  # a check by another road: the normal approximation is within two points of power
    deviation = ((power.detectable * (1 - power.detectable) - 0.025) * 1.6 / 150) ** 0.5
    assert again.sf(1.96 - (power.detectable - 0.5) / deviation) == pytest.approx(0.8, abs=0.03)


def test_simulated_studies_are_significant_as_often_as_stated() -> None:
    # Votes within a prompt share a Beta-distributed rate: ICC = 1 / (a + b + 1) = 0.3.
    rng = np.random.default_rng(0)
    rate, icc, prompts, editors, studies = 0.62, 0.3, 50, 3, 4000
    total = 1 / icc - 1
    rates = rng.beta(rate * total, (1 - rate) * total, size=(studies, prompts))
    means = rng.binomial(editors, rates) / editors
    t = (means.mean(1) - 0.5) / (means.std(1, ddof=1) / prompts**0.5)
    seen = np.mean(np.abs(t) > stats.t.ppf(0.975, prompts - 1))
    error = (prompt_variance(rate, votes=editors, icc=icc, ties=0.0) / prompts) ** 0.5
    assert seen == pytest.approx(power_of_t(rate - 0.5, error=error, clusters=prompts), abs=0.03)


def test_the_level_is_heard() -> None:
    wide = study_power(prompts=50, editors=3, icc=0.3, ties=0.0, level=0.99)
    usual = study_power(prompts=50, editors=3, icc=0.3, ties=0.0)
    assert wide.half_width / usual.half_width == pytest.approx(stats.t.ppf(0.995, 49) / stats.t.ppf(0.975, 49))
    assert wide.power_at["60%"] < usual.power_at["60%"]
    assert "the 99% interval" in wide.sentence()


@pytest.mark.parametrize("prompts", [1, 2, 3, 1000, 100_000])
@pytest.mark.parametrize("ties", [0.0, 0.95])
def test_extremes_say_something_finite(prompts: int, ties: float) -> None:
    power = study_power(prompts=prompts, editors=1, icc=0.0, ties=ties)
    assert 0 < power.half_width <= 0.5
    assert all(0 <= value <= 1 for value in power.power_at.values())
    assert power.sentence()


def test_one_prompt_says_that_nothing_can_be_concluded() -> None:
    assert "nothing can be concluded" in study_power(prompts=1, editors=3, icc=0.3, ties=0.2).sentence()
