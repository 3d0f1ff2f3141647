"""Drift by ranks: they are exact whatever is in a bin, false alarms keep their rate, changes are told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.stats.late_bets import LateBets, MeanOverLimit, kept_back
from assay.stats.rank_drift import RankDrift, factors


def ranks(values: np.ndarray, *, bins_from: int = 32, seed: int = 5) -> np.ndarray:
    stream = RankDrift(np.random.default_rng([seed, 1]), bins_from=bins_from)
    found: list[float] = []
    rank = stream._rank
    stream._rank = lambda value: found.append(rank(value)) or found[-1]  # type: ignore[method-assign,func-returns-value]
    for value in values:
        stream.add(float(value))
    return np.array(found)


@pytest.mark.parametrize("kind", ["continuous", "two values", "heavy tails"])
def test_ranks_of_exchangeable_values_are_even_and_independent(kind: str) -> None:
    rng = np.random.default_rng(3)
    values = {
        "continuous": rng.normal(size=2000),
        "two values": rng.integers(0, 2, size=2000).astype(float),
        "heavy tails": rng.standard_cauchy(size=2000),
    }[kind]
    found = ranks(values)
    assert len(found) == 2000 - 32
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.08


def test_the_first_ranks_are_even_too() -> None:
    """The second of two is above the first half of the time: small counts are where a tie at random could go wrong."""
    second = [ranks(np.random.default_rng(seed).normal(size=34), seed=seed)[1] for seed in range(300)]
    assert stats.kstest(second, "uniform").pvalue > 0.01


def test_bets_are_fair_and_never_ruinous() -> None:
    even = (np.arange(20_000) + 0.5) / 20_000
    mean = np.mean([factors(one) for one in even], axis=0)
    assert mean == pytest.approx(np.ones(len(mean)), abs=1e-6)
    assert min(factors(one).min() for one in (0.0, 0.5, 1.0)) > 0


def test_the_shares_kept_back_add_up_to_the_stake() -> None:
    bets = LateBets(3)
    for _ in range(1000):
        assert bets.add([1.0, 1.0, 1.0]) == pytest.approx(1.0)  # a fair bet on nothing leaves the stake
    assert kept_back(0) == 1
    assert kept_back(10**5) > 0.07


@pytest.mark.parametrize(
    ("mean", "spread", "direction"), [(1.0, 1, "higher"), (-1.0, 1, "lower"), (0, 3, "wider"), (0, 0.3, "narrower")]
)
def test_a_change_is_told_with_its_direction(mean: float, spread: float, direction: str) -> None:
    rng = np.random.default_rng(1)
    stream = RankDrift(rng)
    assert max(stream.add(one) for one in rng.normal(size=800)) < 100
    after = 0
    while stream.add(rng.normal(mean, spread)) < 1000:
        after += 1
        assert after < 400
    assert stream.direction == direction


def test_values_beyond_all_bins_are_told() -> None:
    """A policy's answers soon get more than any of the first did, and two known values become a third."""
    rng = np.random.default_rng(2)
    stream = RankDrift(rng)
    for one in rng.integers(0, 2, size=1000):
        stream.add(float(one))
    found = [stream.add(7.0) for _ in range(60)]
    assert found[-1] > 1000
    assert stream.direction == "higher"


STREAMS, LENGTH, CHANCE = 600, 1500, 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "rule"])
def test_false_alarms_of_drift_keep_their_rate_over_the_whole_stream(kind: str) -> None:
    """Simulated: 600 streams in which nothing changes, looked at after each of 1,500 values; 10% is promised."""
    alarms = 0
    for seed in range(STREAMS):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=LENGTH) if kind == "normal" else rng.integers(0, 4, size=LENGTH).astype(float)
        stream = RankDrift(rng)
        alarms += any(stream.add(one) >= 1 / CHANCE for one in values.tolist())
    # No more than promised, with what 600 streams may be off by at five standard errors; and not never.
    assert 0 < alarms / STREAMS <= CHANCE + 5 * (CHANCE * (1 - CHANCE) / STREAMS) ** 0.5


@pytest.mark.slow
def test_false_alarms_of_a_limit_keep_their_rate_at_the_limit_itself() -> None:
    """Simulated: shares of three kinds whose mean is the limit, where most false alarms are."""
    alarms = 0
    for seed in range(STREAMS):
        rng = np.random.default_rng(seed)
        draw = [lambda n: rng.random(n) < 0.05, lambda n: rng.beta(0.5, 9.5, n), lambda n: (rng.random(n) < 0.1) / 2]  # noqa: B023
        rule = MeanOverLimit(0.05)
        alarms += any(rule.add(float(one)) >= 1 / CHANCE for one in draw[seed % 3](LENGTH))
    assert 0 < alarms / STREAMS <= CHANCE + 5 * (CHANCE * (1 - CHANCE) / STREAMS) ** 0.5


def test_a_share_over_its_limit_is_told_and_one_below_is_not() -> None:
    rng = np.random.default_rng(0)
    rule = MeanOverLimit(0.1)
    assert max(rule.add(float(rng.random() < 0.07)) for _ in range(3000)) < 100
    after = 0
    while rule.add(float(rng.random() < 0.4)) < 1000:
        after += 1
        assert after < 150
    with pytest.raises(ValueError, match="between 0 and 1"):
        MeanOverLimit(1.0)
