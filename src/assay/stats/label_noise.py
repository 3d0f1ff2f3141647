"""How many labels are turned round: from one label a pair and a reward's margins, or from labels beside their votes.

A reward that is right says how likely each label was. Labels turned at random leave a floor under that: even where the
margin is widest, the wrong side is labelled at the rate of turning, which no scale of the margins can explain.
Shapes: N pairs. Knows margins, chances and clusters; knows no pair and no label's text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Array, Codes, Interval, Names, cluster_codes
from assay.stats.unknown import Unknown

STEPS = 60
HIGHEST = 0.49  # at one half labels say nothing, and every scale of the margins fits alike
GRID = np.concatenate([np.arange(0.0, 0.1, 0.005), np.arange(0.1, 0.3, 0.01), np.arange(0.3, 0.485, 0.02), [HIGHEST]])
STEEPEST = 60.0  # of the slope on margins of root mean square 1: beyond, right and wrong are told apart for ever
PLANNED = 0.1  # share of turned labels for which the standard error is told
FEWEST = 30  # pairs, below which a share of some percent cannot be had


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedShare:
    """Share of labels turned round. value, interval: in [0, 0.49].

    slope: log odds a unit of margin among labels that are not turned; None where no margin was used. stretch: what the
    clusters do to the variance of the share, at least 1. error: standard error that the share would have if a tenth of
    the labels were turned. p: one-sided, against no more than `tolerated`.
    """

    value: float
    interval: Interval
    slope: float | None
    error: float
    stretch: float
    p: float


def turned_by_margins(
    margin_N: npt.ArrayLike, clusters: Names, *, tolerated: float = 0.0, level: float = 0.95
) -> TurnedShare | Unknown:
    """The share e in P(the label agrees with margin m) = e + (1 - 2e) sigmoid(b m), by maximum likelihood over e and b.

    margin_N: reward of the labelled side less that of the other, any unit. The interval holds every e whose profile
    likelihood is not too far from the best, its fall divided by what clusters do to the variance. Confident mistakes of
    the reward look the same as turned labels. Unknown under 30 pairs or where all margins are 0.
    Source: the flip model of Natarajan et al. 2013, with a Bradley-Terry link.

    >>> turned_by_margins([1.0] * 10, ["a"] * 10).reason
    '10 pairs are too few to tell turned labels from close calls (30 at least)'
    """
    margin = np.asarray(margin_N, dtype=np.float64)
    codes = cluster_codes(clusters)
    if margin.size < FEWEST:
        return Unknown(f"{margin.size} pairs are too few to tell turned labels from close calls ({FEWEST} at least)")
    scale = float(np.sqrt(np.square(margin).mean()))
    if scale == 0:
        return Unknown("the reward is the same for both answers of every pair")
    if codes.max() < 1:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    unit = margin / scale
    slopes: dict[float, float] = {}

    def profile(share: float) -> float:
        near = min(slopes, key=lambda known: abs(known - share), default=None)
        slope = best_slope(unit, share, start=1.0 if near is None else slopes[near])
        slopes[share] = slope
        return float(np.log(_chance(unit, share, slope)).sum())

    share = _highest(profile)
    slope = slopes[share]
    stretch = _stretch(_gradient(unit, share, slope), codes)
    agrees_N = _chance(unit, PLANNED, slope)
    variance = stretch * _variance(_gradient(unit, PLANNED, slope) * agrees_N, agrees_N)
    return _told(profile, share, stretch, (variance, slope / scale), codes, tolerated=tolerated, level=level)


def turned_against_votes(
    right_N: npt.ArrayLike, clusters: Names, *, tolerated: float = 0.0, level: float = 0.95
) -> TurnedShare | Unknown:
    """The share e of labels turned round where votes say how likely each label is right, apart from the label.

    right_N: chance by the votes that the labelled side is the better one, in [0, 1]. Each label is one more witness:
    likelihood (1 - e) right + e (1 - right). So votes that are themselves often wrong turn no label.
    """
    right = np.clip(np.asarray(right_N, dtype=np.float64), 1e-6, 1 - 1e-6)
    codes = cluster_codes(clusters)
    if right.size < FEWEST:
        return Unknown(f"{right.size} pairs with votes are too few for a share of some percent ({FEWEST} at least)")
    if codes.max() < 1:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")

    def profile(share: float) -> float:
        return float(np.log(right + share * (1 - 2 * right)).sum())

    share = _highest(profile)
    gradient = (1 - 2 * right) / (right + share * (1 - 2 * right))
    stretch = _stretch(gradient[None], codes)
    agrees = right + PLANNED * (1 - 2 * right)
    variance = stretch * _variance((1 - 2 * right)[None], agrees)
    return _told(profile, share, stretch, (variance, None), codes, tolerated=tolerated, level=level)


def best_slope(unit_N: Array, share: float, *, start: float = 1.0) -> float:
    """The slope, from 0 to 60, that makes the labels likeliest at this share of turned ones."""

    def climb(slope: float) -> tuple[float, float]:
        sigmoid = special.expit(slope * unit_N)
        part = (1 - 2 * share) * sigmoid
        pull = part * (1 - sigmoid) * unit_N / (share + part)
        return float(pull.sum()), float(pull @ pull)

    low, high, slope = 0.0, STEEPEST, min(max(start, 0.0), STEEPEST)
    for _ in range(STEPS):
        up, information = climb(slope)
        # A bracket around the top, and Fisher's step inside it: the likelihood need not be concave in the slope.
        low, high = (slope, high) if up > 0 else (low, slope)
        step = slope + up / information if information > 0 else (low + high) / 2
        following = step if low < step < high else (low + high) / 2
        if abs(following - slope) < 1e-4 * (1 + slope):
            return following
        slope = following
    return slope


def _chance(unit_N: Array, share: float, slope: float) -> Array:
    return np.asarray(np.maximum(share + (1 - 2 * share) * special.expit(slope * unit_N), 1e-300))


def _gradient(unit_N: Array, share: float, slope: float) -> Array:
    """Of each pair's log likelihood by share and by slope, shape (2, N)."""
    sigmoid, chance = special.expit(slope * unit_N), _chance(unit_N, share, slope)
    return np.stack([(1 - 2 * sigmoid) / chance, (1 - 2 * share) * sigmoid * (1 - sigmoid) * unit_N / chance])


def _highest(profile: Callable[[float], float]) -> float:
    """The share with the highest profile: the best of the grid, then golden section between its neighbours."""
    heights = [profile(float(share)) for share in GRID]
    top = int(np.argmax(heights))
    low, high = float(GRID[max(top - 1, 0)]), float(GRID[min(top + 1, GRID.size - 1)])
    best, height = float(GRID[top]), heights[top]
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(12):
        one, two = float(high - ratio * (high - low)), float(low + ratio * (high - low))
        at_one, at_two = profile(one), profile(two)
        for share, at in ((one, at_one), (two, at_two)):
            best, height = (share, at) if at > height else (best, height)
        low, high = (low, two) if at_one > at_two else (one, high)
    return best


def _variance(steep_KN: Array, agrees_N: Array) -> float:
    """Of the share, for independent pairs, by Fisher's information; steep: what the chance to agree gains by each.

    Infinite where the pairs say nothing of the share: margins without a slope fit any share alike.
    """
    weighed = steep_KN / np.maximum(agrees_N * (1 - agrees_N), 1e-12)
    information_KK = weighed @ steep_KN.T
    alone = float(information_KK[0, 0])
    if len(steep_KN) == 1:
        return 1 / alone if alone > 0 else math.inf
    about_slope = float(information_KK[1, 1])
    if about_slope <= 0:  # all margins are 0
        return math.inf
    # What is left of it once the slope has had its part (Schur): a pseudo-inverse of a matrix this near to singular
    # gives 0 or a negative number, and either reads as a share that is known exactly.
    left = alone - float(information_KK[0, 1]) ** 2 / about_slope
    return 1 / left if left > 1e-9 * alone else math.inf


def _stretch(gradient_KN: Array, codes: Codes) -> float:
    """What clusters do to the variance of the share, at least 1."""
    groups = int(codes.max()) + 1
    information = gradient_KN @ gradient_KN.T
    inverse = np.linalg.pinv(information)
    summed = np.stack([np.bincount(codes, weights=row, minlength=groups) for row in gradient_KN])
    meat = groups / (groups - 1) * summed @ summed.T
    clustered, alone = float((inverse @ meat @ inverse)[0, 0]), float(inverse[0, 0])
    return max(clustered / alone, 1.0) if alone > 0 else 1.0


def _told(
    profile: Callable[[float], float],
    share: float,
    stretch: float,
    known: tuple[float, float | None],
    codes: Codes,
    *,
    tolerated: float,
    level: float,
) -> TurnedShare:
    variance, slope = known
    best = profile(share)
    degrees = int(codes.max())
    allowed = stretch * float(special.stdtrit(degrees, 0.5 + level / 2)) ** 2 / 2
    low, high = (_end(profile, share, end, best - allowed) for end in (0.0, HIGHEST))
    excess = 2 * max(best - profile(tolerated), 0.0) / stretch if share > tolerated else 0.0
    return TurnedShare(
        value=share,
        interval=Interval(low=low, high=high, level=level, method="profile likelihood, clustered by prompt group"),
        slope=slope,
        error=float(np.sqrt(variance)),
        stretch=stretch,
        # At the edge of what is possible half of all clean data give exactly 0: p is 1 there, and one-sided beyond.
        p=float(special.stdtr(degrees, -np.sqrt(excess))) if excess > 0 else 1.0,
    )


def _end(profile: Callable[[float], float], share: float, end: float, lowest: float) -> float:
    """Where the profile falls to `lowest` between the best share and the end of what is possible."""
    if profile(end) >= lowest:
        return end
    inside, outside = share, end
    for _ in range(12):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if profile(middle) >= lowest else (inside, middle)
    return (inside + outside) / 2
