"""Win rates: hand arithmetic, scipy and sklearn, invariances, refusals, and coverage on simulated studies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special
from scipy import stats as scipy_stats

from assay.stats import winrate
from assay.stats.intervals import Interval, cluster_score
from assay.stats.unknown import Unknown


def rate(found: winrate.Rate | Unknown) -> winrate.Rate:
    assert isinstance(found, winrate.Rate), found
    return found


def studies(
    count: int, *, truth: float, icc: float, ties: float, seed: int, prompts: int = 50, editors: int = 3
) -> np.ndarray:
    """Scores of simulated studies with a known win rate, shape (count, prompts, editors).

    Each prompt's chances of (win, tie, loss) are a Dirichlet draw around the truth; icc is 1 / (1 + concentration).
    """
    generator = np.random.default_rng(seed)
    mean = np.array([truth - ties / 2, ties, 1 - truth - ties / 2])
    chance = np.broadcast_to(mean, (count, prompts, 3))
    if icc:
        chance = generator.gamma(np.maximum(mean * (1 / icc - 1), 1e-9), size=(count, prompts, 3))
        chance = chance / chance.sum(axis=-1, keepdims=True)
    draw, edge = generator.random((count, prompts, editors)), np.cumsum(chance, axis=-1)
    return np.where(draw < edge[..., :1], 1.0, np.where(draw < edge[..., 1:2], 0.5, 0.0))


def covered(count: int, *, truth: float, icc: float, ties: float, seed: int) -> float:
    names = np.repeat(np.arange(50), 3)
    held = 0
    for scores in studies(count, truth=truth, icc=icc, ties=ties, seed=seed):
        interval, _ = cluster_score(scores.ravel(), names)
        assert isinstance(interval, Interval)
        held += interval.low <= truth <= interval.high
    return held / count


GRID = [(truth, icc, ties) for truth in (0.5, 0.6, 0.7) for icc in (0.0, 0.2, 0.4) for ties in (0.0, 0.2)]


@pytest.mark.parametrize(("truth", "icc", "ties"), GRID)
def test_coverage_of_three_thousand_studies(truth: float, icc: float, ties: float) -> None:
    assert 0.93 <= covered(3000, truth=truth, icc=icc, ties=ties, seed=int(100 * truth + 10 * icc + ties)) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("truth", "icc", "ties"), [*GRID, (0.5, 0.2, 0.5), (0.6, 0.4, 0.5)])
def test_coverage_of_ten_thousand_studies(truth: float, icc: float, ties: float) -> None:
    assert 0.94 <= covered(10_000, truth=truth, icc=icc, ties=ties, seed=99) <= 0.967


def test_pooling_votes_would_not_cover() -> None:
    # What the clustering is for: with likeness 0.4, an interval that takes 150 votes as independent covers too seldom.
    held = 0
    for scores in studies(1000, truth=0.5, icc=0.4, ties=0.0, seed=4):
        wins = int(scores.sum())
        pooled = scipy_stats.binomtest(wins, scores.size).proportion_ci(method="wilson")
        held += pooled.low <= 0.5 <= pooled.high
    assert held / 1000 < 0.90


def test_win_rate_by_hand() -> None:
    # Prompts (1, 1), (1, 0), (1/2, 0): mean 3.5/6. Residual sums 5/6, -1/6, -2/3 -> 42/36; variance 3/2 * (42/36)/36.
    scores, names = [1, 1, 1, 0, 0.5, 0], list("aabbcc")
    found = rate(winrate.win_rate(scores, names))
    assert found.value == pytest.approx(3.5 / 6)
    assert (found.n, found.prompts) == (6, 3)
    variance = 3 / 2 * (42 / 36) / 36
    spread = np.var(scores) / 6
    assert found.design_effect == pytest.approx(max(variance, spread) * 6 / (3.5 / 6 * 2.5 / 6))


def test_independent_yes_and_no_is_wilson_with_t() -> None:
    # Every vote its own prompt: variance G/(G-1) p(1-p)/n, so the effective size is n - 1, with t on n - 1 degrees.
    scores = [1.0] * 60 + [0.0] * 40
    found = rate(winrate.win_rate(scores, [str(n) for n in range(100)]))
    q, n, p = scipy_stats.t.ppf(0.975, 99), 99, 0.6
    centre = (p + q * q / (2 * n)) / (1 + q * q / n)
    half = q / (1 + q * q / n) * np.sqrt(p * (1 - p) / n + q * q / (4 * n * n))
    assert isinstance(found.interval, Interval)
    assert found.interval.low == pytest.approx(centre - half)
    assert found.interval.high == pytest.approx(centre + half)


def test_unanimity_does_not_become_a_point() -> None:
    found = rate(winrate.win_rate([1.0] * 30, [str(n // 3) for n in range(30)]))
    assert isinstance(found.interval, Interval)
    assert (found.value, found.interval.high) == (1.0, 1.0)
    assert found.interval.low < 0.8  # ten prompts, not thirty votes


def test_editors_who_cancel_out_do_not_become_a_point() -> None:
    found = rate(winrate.win_rate([1.0, 0.0] * 10, [str(n // 2) for n in range(20)]))
    assert isinstance(found.interval, Interval)
    assert found.interval.high - found.interval.low > 0.3


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_swapping_the_systems_mirrors_the_win_rate(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores, names = generator.choice([0, 0.5, 1], size=24), generator.integers(0, 8, size=24)
    one, other = rate(winrate.win_rate(scores, names)), rate(winrate.win_rate(1 - scores, names))
    order = generator.permutation(24)
    shuffled = rate(winrate.win_rate(scores[order], names[order]))
    assert one.value == pytest.approx(1 - other.value)
    assert isinstance(one.interval, Interval)
    assert isinstance(other.interval, Interval)
    assert isinstance(shuffled.interval, Interval)
    assert one.interval.low == pytest.approx(1 - other.interval.high)
    assert 0 <= one.interval.low <= one.value <= one.interval.high <= 1
    assert shuffled.interval.low == pytest.approx(one.interval.low)


def test_one_prompt_has_no_interval_and_no_votes_no_rate() -> None:
    found = rate(winrate.win_rate([1, 0, 1], ["p"] * 3))
    assert isinstance(found.interval, Unknown)
    assert isinstance(winrate.win_rate([], []), Unknown)


@pytest.mark.parametrize(("decided", "needed"), [(50, 33), (6, 6), (5, None), (10, 9), (100, 61), (0, None)])
def test_majorities_needed(decided: int, needed: int | None) -> None:
    assert winrate.majorities_needed(decided) == needed
    if needed is not None:
        assert scipy_stats.binomtest(needed, decided).pvalue <= 0.05
        assert scipy_stats.binomtest(needed - 1, decided).pvalue > 0.05


def test_majorities_by_hand() -> None:
    # a: 2 of 3; b: 1 of 3; c: balanced; d: a win and a tie; e: all won. Three lean to us, one away.
    scores = [1, 1, 0, 0, 1, 0, 1, 0, 1, 0.5, 1, 1]
    found = winrate.majorities(scores, list("aaabbbccddee"))
    assert not isinstance(found, Unknown)
    assert (found.won, found.lost, found.tied) == (3, 1, 1)
    assert found.p_value == pytest.approx(2 * (1 + 4) / 16)  # P(X >= 3 of 4) twice
    assert isinstance(winrate.majorities([0.5, 0.5], ["a", "b"]), Unknown)


def test_sides_by_hand() -> None:
    # On the left we win 3 of 4, on the right 1 of 4.
    scores, left = [1, 1, 1, 0, 1, 0, 0, 0], [True] * 4 + [False] * 4
    found = winrate.win_rate_by_side(scores, left, list("abcdabcd"))
    assert not isinstance(found, Unknown)
    assert (found.left.value, found.right.value, found.difference) == (0.75, 0.25, 0.5)
    assert isinstance(found.interval, Interval)
    never = winrate.win_rate_by_side(scores, [True] * 8, list("abcdabcd"))
    assert isinstance(never, Unknown)
    assert "right" in never.reason


def test_a_planted_side_habit_is_found_and_none_is_not() -> None:
    generator = np.random.default_rng(0)
    names, left = np.repeat(np.arange(60), 3), generator.random(180) < 0.5
    fair = (generator.random(180) < 0.6).astype(float)
    tilted = np.where(generator.random(180) < 0.4, left, fair)
    for scores, biased in ((fair, False), (tilted, True)):
        found = winrate.win_rate_by_side(scores, left, names)
        assert not isinstance(found, Unknown)
        assert isinstance(found.interval, Interval)
        assert (found.interval.low > 0) is biased


def test_interval_of_the_side_difference_covers() -> None:
    generator, held = np.random.default_rng(8), 0
    names = np.repeat(np.arange(50), 3)
    for scores in studies(600, truth=0.6, icc=0.2, ties=0.2, seed=6):
        found = winrate.win_rate_by_side(scores.ravel(), generator.random(150) < 0.5, names)
        assert not isinstance(found, Unknown)
        assert isinstance(found.interval, Interval)
        held += found.interval.low <= 0 <= found.interval.high
    assert 0.925 <= held / 600 <= 0.975


def lengths(generator: np.random.Generator, votes: int, slope: float, even: float) -> tuple[np.ndarray, np.ndarray]:
    gaps = generator.normal(30, 100, size=votes)
    chance = special.expit(special.logit(even) + slope * np.tanh(gaps / gaps.std()))
    return (generator.random(votes) < chance).astype(float), gaps


def test_length_control_is_the_maximum_likelihood_fit() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(2)
    scores, gaps = lengths(generator, 400, 1.0, 0.55)
    scores[::9] = 0.5
    found = winrate.length_controlled(scores, gaps, np.arange(400))
    assert not isinstance(found, Unknown)
    x = np.tanh(gaps / gaps.std())

    def loss(beta: np.ndarray) -> float:
        logit = beta[0] + beta[1] * x
        return float((np.logaddexp(0, logit) - scores * logit).sum())

    best = optimize.minimize(loss, np.zeros(2), tol=1e-12).x
    assert found.slope == pytest.approx(best[1], abs=1e-4)
    assert found.rate.value == pytest.approx(special.expit(best[0]), abs=1e-5)
    # The same with a tie as two half-weighted rows, one won and one lost, as sklearn takes weights.
    doubled = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.concatenate([x, x])[:, None],
        np.concatenate([np.ones(400), np.zeros(400)]),
        sample_weight=np.concatenate([scores, 1 - scores]),
    )
    assert found.rate.value == pytest.approx(special.expit(doubled.intercept_[0]), abs=1e-4)


def test_length_that_buys_votes_is_taken_out() -> None:
    # Planted: half and half at equal length, and ours usually longer.
    generator = np.random.default_rng(5)
    scores, gaps = lengths(generator, 3000, 2.5, 0.5)
    found = winrate.length_controlled(scores, gaps, np.repeat(np.arange(1000), 3))
    assert not isinstance(found, Unknown)
    assert scores.mean() > 0.56
    assert found.rate.value == pytest.approx(0.5, abs=0.03)
    assert found.slope == pytest.approx(2.5, abs=0.4)


def test_interval_at_equal_length_by_hand() -> None:
    # With no votes' length mattering and x centred, the fit is the mean, and the sandwich of the intercept is the
    # clustered variance of the mean over (p(1 - p))^2: here prompts of two equal votes, twice the plain variance.
    scores = np.repeat([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0], 2)
    gaps = np.tile([-1.0, 1.0], 8)
    found = winrate.length_controlled(scores, gaps, np.repeat(np.arange(8), 2))
    assert not isinstance(found, Unknown)
    p = 5 / 8
    variance = 8 / 7 * 8 * (2 * 1) ** 2 * p * (1 - p) / 16**2 / (p * (1 - p)) ** 2
    half = scipy_stats.t.ppf(0.975, 7) * np.sqrt(variance)
    assert isinstance(found.rate.interval, Interval)
    assert found.slope == pytest.approx(0, abs=1e-9)
    # The two votes of a prompt cancel in x, so the sandwich of the slope is 0; independent votes are the floor.
    assert found.slope_error == pytest.approx(np.sqrt(1 / (16 * p * (1 - p))) / np.tanh(1))
    assert found.rate.interval.low == pytest.approx(special.expit(special.logit(p) - half))
    assert found.rate.interval.high == pytest.approx(special.expit(special.logit(p) + half))


def test_interval_at_equal_length_covers() -> None:
    generator, held = np.random.default_rng(7), 0
    for _ in range(400):
        scores, gaps = lengths(generator, 150, 1.0, 0.6)
        found = winrate.length_controlled(scores, gaps, np.repeat(np.arange(50), 3))
        assert not isinstance(found, Unknown)
        assert isinstance(found.rate.interval, Interval)
        held += found.rate.interval.low <= 0.6 <= found.rate.interval.high
    assert 0.92 <= held / 400 <= 0.98


def test_interval_at_equal_length_is_no_point_where_votes_cancel_or_are_all_ties() -> None:
    gaps, prompts = np.tile([-1.0, 2.0, 3.0], 2), np.tile(["a", "b", "c"], 2)
    ties = winrate.length_controlled(np.full(6, 0.5), gaps, prompts)
    cancel = winrate.length_controlled([1, 1, 1, 0, 0, 0], gaps, prompts)  # in each prompt one editor each way
    for found in (ties, cancel):
        assert not isinstance(found, Unknown)
        assert isinstance(found.rate.interval, Interval)
        assert found.rate.interval.high - found.rate.interval.low > 0.8
        assert found.slope_error is not None
        assert found.slope_error > 0.5
    balanced = winrate.length_controlled([1, 0, 0, 1], [-1, 2, -1, 2], ["a", "b", "a", "b"])
    assert not isinstance(balanced, Unknown)
    assert isinstance(balanced.rate.interval, Unknown)


def test_interval_at_equal_length_covers_with_few_prompts() -> None:
    generator, held, made = np.random.default_rng(8), 0, 0
    for _ in range(300):
        scores, gaps = lengths(generator, 5, 1.0, 0.6)
        votes = (generator.random((5, 2)) < np.where(scores, 0.8, 0.4)[:, None]).astype(float)  # 0.6 * 0.8 + 0.4 * 0.4
        found = winrate.length_controlled(votes.ravel(), np.repeat(gaps, 2), np.repeat(np.arange(5), 2))
        if isinstance(found, winrate.LengthControlled):
            assert isinstance(found.rate.interval, Interval)
            made += 1
            held += found.rate.interval.low <= 0.64 <= found.rate.interval.high
    assert made > 150
    assert held / made >= 0.93


@pytest.mark.parametrize(
    ("scores", "gaps", "said"),
    [
        ([], [], "no votes"),
        ([1, 0, 1], [5, 5, 5], "same everywhere"),
        ([1, 1, 1], [-1, 2, 3], "every vote won"),
        ([0, 0, 0], [-1, 2, 3], "every vote lost"),
        ([0, 0, 1, 1], [-2, -1, 3, 4], "separates"),
        ([0, 0.5, 1, 1], [-2, 2, 3, 4], "separates"),
        ([1, 0, 1], [1, 2, 3], "always the longer"),
        ([1, 0, 1], [-1, -2, -3], "always the shorter"),
    ],
)
def test_length_control_that_cannot_be_fitted(scores: list[float], gaps: list[float], said: str) -> None:
    found = winrate.length_controlled(scores, gaps, [str(n) for n in range(len(scores))])
    assert isinstance(found, Unknown)
    assert said in found.reason


@pytest.mark.parametrize("icc", [0.0, 0.2, 0.4])
def test_likeness_is_recovered(icc: float) -> None:
    found = [
        winrate.intraclass_correlation(scores.ravel(), np.repeat(np.arange(50), 3))
        for scores in studies(200, truth=0.6, icc=icc, ties=0.2, seed=11)
    ]
    assert np.mean([value for value in found if not isinstance(value, Unknown)]) == pytest.approx(icc, abs=0.02)


def test_likeness_by_hand() -> None:
    # Prompts (1, 1) and (0, 1): between = 2 * (1/4)^2 * 2 = 1/4 on 1, within = 1/2 on 2 -> 1/4; equal, so 0.
    assert winrate.intraclass_correlation([1, 1, 0, 1], list("aabb")) == pytest.approx(0.0)
    assert winrate.intraclass_correlation([1, 1, 0, 0], list("aabb")) == pytest.approx(1.0)
    assert isinstance(winrate.intraclass_correlation([1, 0], list("ab")), Unknown)
    assert isinstance(winrate.intraclass_correlation([1, 1, 1, 1], list("aabb")), Unknown)


def test_times_by_hand() -> None:
    found = winrate.times([10, 20, 30, np.nan, 1], [5, 5, 5, 5, 5])
    assert not isinstance(found, Unknown)
    assert (found.median, found.n, found.quick, found.unmeasured) == (15.0, 4, 1, 1)
    assert isinstance(winrate.times([np.nan], [1]), Unknown)
