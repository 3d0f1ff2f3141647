"""How many pairs a verdict would need. Knows thresholds and design effects; knows no criteria."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats as scipy_stats


@dataclass(frozen=True, slots=True)
class NeverDecides:
    """Why no number of pairs would decide."""

    reason: str


def pairs_needed(
    mean: float,
    threshold: float,
    *,
    design_effect: float = 1.0,
    level: float = 0.95,
    clusters_per_pair: float | None = None,
) -> int | NeverDecides:
    """Pairs at which the Wilson interval of `mean` no longer holds `threshold`, if the mean stays where it is.

    Wilson's interval excludes t exactly when |mean - t| > q sqrt(t(1-t)/n_effective), so n is the least with
    n > design_effect * q^2 t(1-t) / (mean - t)^2. q is of the normal, or, with `clusters_per_pair`, of Student's t
    for as many clusters as n pairs would bring: with two prompts at hand q is 12.7, with fifty it is 2.0.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} outside [0, 1]")
    if mean == threshold:
        return NeverDecides("the figure equals the threshold, so more pairs at this rate would not decide")
    if threshold in (0.0, 1.0):
        return NeverDecides("no interval of a share excludes 0 or 1 while the share varies")
    one = design_effect * threshold * (1 - threshold) / (mean - threshold) ** 2
    return least(lambda n: n > one * quantile(n, clusters_per_pair, level) ** 2)


def pairs_needed_for_mean(
    mean: float, threshold: float, *, n: int, low: float, high: float, level: float = 0.95, clusters: int | None = None
) -> int | NeverDecides:
    """The same for any mean whose interval [low, high] over `n` pairs shrinks as one over the root of n.

    clusters: of the n pairs, where the interval is a t interval over them: then its quantile shrinks as well.
    """
    distance = abs(mean - threshold)
    if distance == 0:
        return NeverDecides("the figure equals the threshold, so more pairs at this rate would not decide")
    half = mean - low if mean > threshold else high - mean
    rate = None if clusters is None else clusters / n
    one = n * (half / distance / quantile(n, rate, level)) ** 2
    return least(lambda pairs: pairs > one * quantile(pairs, rate, level) ** 2)


def quantile(pairs: int, clusters_per_pair: float | None, level: float) -> float:
    """How many standard errors an interval over `pairs` pairs reaches."""
    tail = 0.5 + level / 2
    if clusters_per_pair is None:
        return float(scipy_stats.norm.ppf(tail))
    return float(scipy_stats.t.ppf(tail, max(pairs * clusters_per_pair - 1, 1)))


def least(holds: Callable[[int], bool]) -> int:
    """The smallest positive number for which `holds`, which holds for all beyond it."""
    high = 1
    while not holds(high):
        high *= 2
    low = high // 2  # does not hold there
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
