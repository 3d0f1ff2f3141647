"""Accuracy with length taken out: its interval knows that the slopes were fitted to the same pairs."""

from __future__ import annotations

import numpy as np
from scipy import special

from assay.audits.pairs.length_shapes import length_shapes, normal_scores
from assay.audits.pairs.length_taken_out import taken_out
from assay.stats.intervals import Interval, wilson, wilson_of


def drawn(n: int, rng: np.random.Generator, *, spread: float):
    """Margins of a calibrated reward that likes length, oriented by the label; lengths; two pairs a prompt."""
    length = rng.lognormal(5, 0.6, (n, 2))
    logs = np.log(length[:, 0] / length[:, 1])
    d = spread * (0.2 * logs / logs.std() + 0.98 * rng.normal(size=n))
    rewards = np.column_stack([d / 2, -d / 2]) + rng.normal(size=n)[:, None]
    chosen = rng.random(n) < special.expit(d)
    order = np.where(chosen[:, None], [[0, 1]], [[1, 0]])
    rewards, length = np.take_along_axis(rewards, order, 1), np.take_along_axis(length, order, 1)
    scored = normal_scores(rewards)
    return scored[None, :, 0] - scored[None, :, 1], length_shapes(length), np.arange(n) // 2


def test_the_interval_holds_the_truth_where_nearly_all_are_right():
    rng = np.random.default_rng(0)
    truth = float(taken_out(*drawn(200_000, rng, spread=27.67)).correct.mean())
    held = plain = 0
    for _ in range(250):
        found = taken_out(*drawn(1000, rng, spread=27.67))
        interval = wilson_of(found.mean)
        assert isinstance(interval, Interval)
        held += interval.low <= truth <= interval.high
        known_slopes = wilson(float(found.correct.sum()), found.correct.size)
        assert isinstance(known_slopes, Interval)
        plain += known_slopes.low <= truth <= known_slopes.high
    assert held / 250 > 0.92
    assert plain / 250 < 0.90  # what taking the slopes as known gives


def test_a_reward_that_is_length_leaves_coins():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 2))
    found = taken_out((features @ [2.0, -1.0])[None], features, np.arange(60))
    assert (found.correct == 0.5).all()
    assert found.explained > 0.999
