"""Shares of turned labels: found where planted, nothing where not, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.label_quality.label_ceiling import power_to_find
from assay.stats.label_noise import turned_against_votes, turned_by_margins
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown


def margins(rng, *, pairs: int = 1000, turned: float = 0.0, spread: float = 4.0, per_prompt: int = 2):
    """Margins of a calibrated reward, as the labels have them: about 87% right at a spread of 4."""
    margin = rng.normal(size=pairs) * spread
    agrees = rng.random(pairs) < 1 / (1 + np.exp(-margin))
    other = rng.random(pairs) < turned
    return np.where(agrees ^ other, margin, -margin), np.arange(pairs) // per_prompt


@pytest.mark.parametrize("turned", [0.1, 0.2])
def test_a_tenth_and_a_fifth_of_turned_labels_are_found_from_margins_alone(turned):
    found = turned_by_margins(*margins(np.random.default_rng(10), turned=turned))
    assert found.interval.low < turned < found.interval.high
    assert found.value == pytest.approx(turned, abs=0.05)
    assert found.p < 0.05 / 30


def test_where_no_label_is_turned_nothing_is_found():
    found = turned_by_margins(*margins(np.random.default_rng(1)))
    assert found.value < 0.02
    assert found.interval.low == 0
    assert found.p > 0.05
    assert found.slope == pytest.approx(1.0, abs=0.2)  # the margins were log odds


def test_the_unit_of_the_margins_changes_nothing_but_the_slope():
    margin, groups = margins(np.random.default_rng(2), turned=0.1)
    one, other = turned_by_margins(margin, groups), turned_by_margins(100 * margin, groups)
    assert other.value == pytest.approx(one.value, abs=1e-3)
    assert other.slope == pytest.approx(one.slope / 100, rel=0.02)


def test_pairs_that_err_together_count_less():
    margin, groups = margins(np.random.default_rng(3), pairs=300, turned=0.15)
    alone = turned_by_margins(margin, groups)
    ten_times = turned_by_margins(np.repeat(margin, 10), np.repeat(groups, 10))
    assert ten_times.value == pytest.approx(alone.value, abs=0.002)
    assert ten_times.interval.low == pytest.approx(alone.interval.low, abs=0.02)


def test_labels_against_sure_votes_are_counted():
    # 4 of 40 labels against votes that are all but certain: likelihood e^4 (1 - e)^36, highest at 4/40.
    right = np.array([0.0] * 4 + [1.0] * 36)
    assert turned_against_votes(right, np.arange(40)).value == pytest.approx(0.1, abs=1e-3)


def test_votes_that_are_often_wrong_turn_no_label():
    # Each pair has one vote by a reader who is right on 80%, and labels are all right: a fifth disagrees.
    right = np.where(np.random.default_rng(4).random(1000) < 0.8, 0.8, 0.2)
    found = turned_against_votes(right, np.arange(1000), tolerated=0.02)
    assert found.value < 0.06
    assert found.p > 0.05


@pytest.mark.parametrize(
    ("margin", "groups", "reason"),
    [
        (np.ones(29), np.arange(29), "29 pairs are too few"),
        (np.zeros(50), np.arange(50), "the same for both answers"),
        (np.ones(50), np.zeros(50), "one prompt group"),
    ],
)
def test_what_cannot_be_told_is_unknown(margin, groups, reason):
    found = turned_by_margins(margin, groups)
    assert isinstance(found, Unknown)
    assert reason in found.reason


@pytest.mark.slow
@pytest.mark.parametrize(("turned", "least"), [(0.0, 0.0), (0.1, 0.95), (0.2, 0.95)])
def test_error_rates_from_margins(turned, least):
    rng = np.random.default_rng([5, int(100 * turned)])
    found = [turned_by_margins(*margins(rng, turned=turned)) for _ in range(200)]
    held = np.mean([one.interval.low <= turned <= one.interval.high for one in found])
    assert held >= 0.92  # of 95%, two standard errors of 200 draws are 3 points
    alarms = np.mean([one.p <= (0.05 / 30 if turned else 0.05) for one in found])
    assert alarms >= least if turned else alarms <= 0.05 + 0.03


@pytest.mark.parametrize("margin", [[-1.0] * 30 + [1.0] * 10, [1.0, -1.0] * 20])
def test_margins_that_follow_no_label_do_not_know_the_share(margin):
    """Against most labels, or right half the time: the best slope is 0, where any share fits. No error is not none."""
    found = turned_by_margins(np.array(margin), [str(n) for n in range(40)])
    assert found.error > 1e6
    assert (found.interval.low, found.interval.high) == (0.0, 0.49)
    assert power_to_find(found) == pytest.approx(FAMILY_ALPHA)
