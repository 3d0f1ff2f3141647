"""Win rates and what could be wrong with them. Knows scores, sides and prompts; knows no study.

Shapes: N votes, G prompts, R resamples. A vote scores 1 for our system, 0 for the other, 1/2 for a tie.
Whole prompts are the unit that varies: votes on one prompt are alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy import stats as scipy_stats

from assay.stats.intervals import Array, Interval, Names, cluster_codes, cluster_score, cluster_t
from assay.stats.logistic import cluster_covariance, fit_logistic, independent_variance
from assay.stats.unknown import Unknown

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share over votes with its clustered interval. prompts: how many there are; design_effect: see cluster_score."""

    value: float
    n: int
    prompts: int
    interval: Interval | Unknown
    design_effect: float | None = None


def win_rate(score_N: npt.ArrayLike, prompts: Names, *, level: float = 0.95) -> Rate | Unknown:
    """Mean score with ties counted half (leave them out of `score_N` for the rate without ties).

    >>> win_rate([1, 1, 0.5, 0], ["p1", "p2", "p3", "p4"]).value
    0.625
    """
    scores = np.asarray(score_N, dtype=np.float64)
    if scores.size == 0:
        return Unknown("no votes")
    interval, effect = cluster_score(scores, prompts, level=level)
    return Rate(
        value=float(scores.mean()),
        n=scores.size,
        prompts=len(set(np.asarray(prompts).tolist())),
        interval=interval,
        design_effect=effect,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Majorities:
    """Prompts whose votes lean to one side, and the exact two-sided test of "either side wins half of them".

    needed: majorities of `decided` at which the test reaches p <= 0.05; None where even all of them would not.
    """

    won: int
    lost: int
    tied: int
    p_value: float
    needed: int | None

    @property
    def decided(self) -> int:
        return self.won + self.lost


def majorities(score_N: npt.ArrayLike, prompts: Names) -> Majorities | Unknown:
    """Exact binomial test on per-prompt majorities; a prompt whose votes balance is counted apart and left out."""
    scores = np.asarray(score_N, dtype=np.float64)
    if scores.size == 0:
        return Unknown("no votes")
    # Halves add up exactly in binary; the margin is for scores of other fractions.
    lean_G = np.bincount(cluster_codes(prompts), weights=scores - 0.5)
    won, lost = int((lean_G > 1e-9).sum()), int((lean_G < -1e-9).sum())
    if won + lost == 0:
        return Unknown("every prompt's votes balance, so no prompt has a majority")
    return Majorities(
        won=won,
        lost=lost,
        tied=int(lean_G.size - won - lost),
        p_value=float(scipy_stats.binomtest(won, won + lost, 0.5).pvalue),
        needed=majorities_needed(won + lost),
    )


def majorities_needed(decided: int) -> int | None:
    """The fewest wins of `decided` prompts that a two-sided exact test at 5% tells from a coin.

    >>> majorities_needed(50), majorities_needed(5)
    (33, None)
    """
    if 2 * 0.5**decided > SIGNIFICANT:
        return None
    # sf(k - 1) = P(X >= k); the distribution is symmetric, so the two-sided value is twice the tail.
    wins = np.arange(decided // 2 + 1, decided + 1)
    tails = 2 * scipy_stats.binom.sf(wins - 1, decided, 0.5)
    return int(wins[np.argmax(tails <= SIGNIFICANT)])


def share(hit_N: npt.ArrayLike, prompts: Names, *, level: float = 0.95) -> Rate | Unknown:
    """A share of yes and no over votes, such as left among the decided, clustered by prompt."""
    return win_rate(np.asarray(hit_N, dtype=np.float64), prompts, level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class BySide:
    """Our win rate by the side we stood on; difference: left minus right in win-rate units, with a paired interval."""

    left: Rate
    right: Rate
    difference: float
    interval: Interval | Unknown


def win_rate_by_side(
    score_N: npt.ArrayLike, ours_left_N: npt.ArrayLike, prompts: Names, *, level: float = 0.95
) -> BySide | Unknown:
    """Win rate where our answer stood on the left and on the right. Without a habit of sides the two agree.

    The interval of the difference linearises it: each vote adds its residual over its side's count, times N.
    """
    scores, left = np.asarray(score_N, dtype=np.float64), np.asarray(ours_left_N, dtype=bool)
    names = np.asarray(prompts)
    on_left, on_right = (win_rate(scores[side], names[side], level=level) for side in (left, ~left))
    if isinstance(on_left, Unknown) or isinstance(on_right, Unknown):
        return Unknown(f"our answer never stood on the {'left' if isinstance(on_left, Unknown) else 'right'}")
    n, gap = scores.size, on_left.value - on_right.value
    influence_N = np.where(left, (scores - on_left.value) / left.mean(), -(scores - on_right.value) / (~left).mean())
    # The influences have mean 0, so adding the gap centres the interval on it and changes no variance.
    interval = cluster_t(gap + influence_N, names, level=level)
    if isinstance(interval, Interval) and interval.low == interval.high:
        interval = Unknown(f"{n} votes that do not vary within a side")
    if isinstance(interval, Interval):
        interval = Interval(
            low=max(interval.low, -1.0), high=min(interval.high, 1.0), level=level, method=interval.method
        )
    return BySide(left=on_left, right=on_right, difference=gap, interval=interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControlled:
    """The win rate at equal length. slope: log odds per unit of tanh(length difference / sd); sd in the unit given.

    slope_error: its clustered standard error, None with one prompt or two.
    """

    rate: Rate
    slope: float
    slope_error: float | None
    sd: float


def length_controlled(
    score_N: npt.ArrayLike, length_difference_N: npt.ArrayLike, prompts: Names, *, level: float = 0.95
) -> LengthControlled | Unknown:
    """Win rate predicted at length difference 0 by a logistic model in tanh(difference / sd).

    length_difference_N: length of our answer minus that of the other. A tie is half a win and half a loss.
    Interval: cluster sandwich of the intercept (G/(G-1) correction, t with G - 1 degrees), on the log-odds scale, never
    narrower than for independent votes of the spread seen; where they do not vary, each prompt counts as one draw.
    Source: Dubois et al. 2024 (length-controlled AlpacaEval), without its per-prompt difficulty term.
    """
    scores = np.asarray(score_N, dtype=np.float64)
    difference = np.asarray(length_difference_N, dtype=np.float64)
    if scores.size == 0:
        return Unknown("no votes")
    sd = float(difference.std())
    if sd == 0:
        return Unknown("the length difference is the same everywhere, so its part cannot be told")
    if difference.min() > 0 or difference.max() < 0:
        which = "longer" if difference.min() > 0 else "shorter"
        return Unknown(f"our answer was always the {which} one, so nothing speaks for equal length")
    # Squashed as in the source: a few very long answers would else set the slope, and with it the rate at length 0.
    x = np.tanh(difference / sd)
    problem = _separated(scores, x)
    if problem:
        return Unknown(problem)
    codes = cluster_codes(prompts)
    groups = int(codes.max()) + 1
    design = np.column_stack([np.ones_like(x), x])
    fit = fit_logistic(design, scores)
    if isinstance(fit, Unknown):
        return Unknown("the logistic model does not settle on these votes")
    beta = fit.coefficients
    interval: Interval | Unknown = Unknown("one prompt says nothing about others")
    slope_error = None
    if groups == 2:
        interval = Unknown("two prompts cannot tell length from what else sets them apart")
    if groups > 2:
        variance = np.maximum(np.diag(cluster_covariance(fit, codes)), independent_variance(fit, groups))
        slope_error = math.sqrt(variance[1])
        half = scipy_stats.t.ppf(0.5 + level / 2, groups - 1) * math.sqrt(variance[0])
        low, high = (float(special.expit(beta[0] + sign * half)) for sign in (-1, 1))
        method = "cluster sandwich on the log odds, clustered by prompt"
        interval = Interval(low=low, high=high, level=level, method=method)
    rate = Rate(value=float(special.expit(beta[0])), n=scores.size, prompts=groups, interval=interval)
    return LengthControlled(rate=rate, slope=float(beta[1]), slope_error=slope_error, sd=sd)


def _separated(scores: Array, x: Array) -> str:
    """Why no finite logistic fit in one variable exists; empty where one does (Albert & Anderson 1984)."""
    won, lost = x[scores > 0], x[scores < 1]
    if not won.size or not lost.size:
        return f"every vote {'lost' if not won.size else 'won'}, so length has nothing to explain"
    # Touching is enough (quasi-complete separation), and a tie stands on both sides: it is half a win and half a loss.
    if won.min() >= lost.max() or won.max() <= lost.min():
        return "length alone separates wins from losses, so the rate at equal length cannot be fitted"
    return ""


def intraclass_correlation(score_N: npt.ArrayLike, prompts: Names) -> float | Unknown:
    """How alike the votes on one prompt are: one-way ANOVA estimator for clusters of unequal size, in [-1, 1].

    Source: Donner 1986. Votes of one prompt that are all alike give 1; a negative figure means no likeness.
    """
    scores, codes = np.asarray(score_N, dtype=np.float64), cluster_codes(prompts)
    size_G = np.bincount(codes).astype(np.float64)
    n, groups = scores.size, size_G.size
    if groups < 2 or n <= groups:
        return Unknown("it takes two prompts, and two votes on one of them")
    mean_G = np.bincount(codes, weights=scores) / size_G
    between = float((size_G * np.square(mean_G - scores.mean())).sum()) / (groups - 1)
    within = float(np.square(scores - mean_G[codes]).sum()) / (n - groups)
    # Not the mean size: with unequal clusters this is the one at which the mean squares have the expectations of equal
    # ones.
    typical = (n - float(np.square(size_G).sum()) / n) / (groups - 1)
    total = between + (typical - 1) * within
    return (between - within) / total if total > 0 else Unknown("the votes do not vary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds per item. quick: votes faster than anyone can have read both answers; unmeasured: no time on record."""

    median: float
    low: float
    high: float
    n: int
    quick: int
    unmeasured: int


def times(seconds_N: npt.ArrayLike, fastest_N: npt.ArrayLike) -> Times | Unknown:
    """Median and quartiles of time per item; NaN where no time is on record.

    fastest_N: seconds under which the item cannot have been read.
    """
    seconds, fastest = np.asarray(seconds_N, dtype=np.float64), np.asarray(fastest_N, dtype=np.float64)
    there = np.isfinite(seconds)
    if not there.any():
        return Unknown("no time is on record")
    low, median, high = map(float, np.quantile(seconds[there], [0.25, 0.5, 0.75]))
    return Times(
        median=median,
        low=low,
        high=high,
        n=int(there.sum()),
        quick=int((seconds[there] < fastest[there]).sum()),
        unmeasured=int((~there).sum()),
    )
