"""The slope of confidence: the scale put in comes out, the interval holds it, what has no slope says why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from assay.stats.confidence_slope import ConfidenceSlope, confidence_slope
from assay.stats.logistic import fit_logistic
from assay.stats.unknown import Unknown


def drawn(n: int, rng: np.random.Generator, *, spread: float = 2.3, bold: float = 1.0):
    odds = rng.normal(0, spread, n)
    return bold * odds, (rng.random(n) < special.expit(odds)).astype(float), np.arange(n) // 2


def known(found: ConfidenceSlope | Unknown) -> ConfidenceSlope:
    assert isinstance(found, ConfidenceSlope), found
    return found


def test_it_is_the_logistic_fit():
    odds, came_true, groups = drawn(500, np.random.default_rng(0), bold=2.0)
    fit = fit_logistic(odds[:, None], came_true)
    assert not isinstance(fit, Unknown)
    assert known(confidence_slope(odds, came_true, groups)).slope == pytest.approx(fit.coefficients[0], rel=1e-6)


def test_turning_pairs_round_changes_nothing():
    odds, came_true, groups = drawn(200, np.random.default_rng(1))
    sign = np.where(np.arange(200) % 3 == 0, -1.0, 1.0)
    turned = confidence_slope(sign * odds, np.where(sign > 0, came_true, 1 - came_true), groups)
    assert known(turned).slope == pytest.approx(known(confidence_slope(odds, came_true, groups)).slope)


@pytest.mark.parametrize(("spread", "bold"), [(2.3, 1.5), (11.0, 1.0), (27.0, 1.0)])
def test_the_interval_holds_the_scale(spread, bold):
    rng = np.random.default_rng(3)
    found = [known(confidence_slope(*drawn(500, rng, spread=spread, bold=bold))).interval() for _ in range(200)]
    assert np.mean([one.low <= 1 / bold <= one.high for one in found]) > 0.9


def test_one_sided_chances_point_the_right_way():
    bold = known(confidence_slope(*drawn(1000, np.random.default_rng(4), bold=2.0)))
    assert bold.chance_below(1.0) < 1e-6
    assert bold.chance_below(0.1) > 0.99


def test_what_has_no_slope_says_why():
    odds = np.array([1.0, 2.0, 3.0, 4.0])
    groups = np.arange(4)
    for came_true, reason in (
        ([1, 1, 1, 1], "no pair with a margin is wrong"),
        ([0, 0, 0, 0], "not right more often"),
    ):
        found = confidence_slope(odds, np.array(came_true), groups)
        assert isinstance(found, Unknown)
        assert reason in found.reason
    assert isinstance(confidence_slope(np.zeros(4), np.ones(4), groups), Unknown)
    assert isinstance(confidence_slope(odds, np.ones(4), np.zeros(4, dtype=int)), Unknown)


def test_it_holds_on_both_sides_where_a_handful_of_events_are_wrong():
    """400 pairs, 98% right: a score test by the pulls' own spread lies above the truth in 8% of draws and holds 90%."""
    rng = np.random.default_rng(5)
    below = above = 0
    for _ in range(600):
        found = known(confidence_slope(*drawn(400, rng, spread=27.67))).interval()
        below, above = below + (found.high < 1), above + (found.low > 1)
    assert below + above < 0.07 * 600 + 11
    assert max(below, above) < 0.045 * 600 + 8


def test_pairs_that_say_the_same_twice_are_one():
    odds, came_true, _ = drawn(400, np.random.default_rng(6))
    once = known(confidence_slope(odds, came_true, np.arange(400))).interval()
    twice = known(confidence_slope(np.tile(odds, 2), np.tile(came_true, 2), np.tile(np.arange(400), 2))).interval()
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), rel=0.02)


@given(
    log_odds=st.lists(st.floats(-30, 30).filter(lambda odds: abs(odds) > 0.01), min_size=4, max_size=40),
    seed=st.integers(0, 10_000),
)
@example(log_odds=[1.0, 0.5, 13.0, -1.0], seed=0)
@settings(max_examples=200, deadline=None)
def test_the_interval_stands_around_the_estimate_whatever_the_events(log_odds, seed):
    rng = np.random.default_rng(seed)
    odds = np.array(log_odds)
    found = confidence_slope(
        odds, (rng.random(odds.size) < special.expit(odds)).astype(float), np.arange(odds.size) // 2
    )
    if isinstance(found, ConfidenceSlope):
        interval = found.interval()
        assert interval.low <= found.slope <= interval.high
        assert found.chance_below(found.slope / 3) > found.chance_below(found.slope * 3)
