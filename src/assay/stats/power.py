"""How many pairs a verdict would need. Knows thresholds and design effects; knows no criteria."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats as scipy_stats


@dataclass(frozen=True, slots=True)
class NeverDecides:
    """Why no number of pairs would decide."""

    reason: str


def pairs_needed(
    mean: float, threshold: float, *, design_effect: float = 1.0, level: float = 0.95, clusters: int | None = None
) -> int | NeverDecides:
    """Pairs at which the Wilson interval of `mean` no longer holds `threshold`, if the mean stays where it is.

    Wilson's interval excludes t exactly when |mean - t| > q sqrt(t(1-t)/n_effective), so
    n = design_effect * q^2 t(1-t) / (mean - t)^2, with q of Student's t for `clusters` clusters, or of the normal.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} outside [0, 1]")
    if mean == threshold:
        return NeverDecides("the figure equals the threshold, so more pairs at this rate would not decide")
    if threshold in (0.0, 1.0):
        return NeverDecides("no interval of a share excludes 0 or 1 while the share varies")
    tail = 0.5 + level / 2
    quantile = scipy_stats.norm.ppf(tail) if clusters is None else scipy_stats.t.ppf(tail, max(clusters - 1, 1))
    exact = design_effect * float(quantile) ** 2 * threshold * (1 - threshold) / (mean - threshold) ** 2
    return math.floor(exact) + 1


def pairs_needed_for_mean(mean: float, threshold: float, *, n: int, low: float, high: float) -> int | NeverDecides:
    """The same for any mean whose interval [low, high] over `n` pairs shrinks as one over the root of n."""
    distance = abs(mean - threshold)
    if distance == 0:
        return NeverDecides("the figure equals the threshold, so more pairs at this rate would not decide")
    half = mean - low if mean > threshold else high - mean
    return math.floor(n * (half / distance) ** 2) + 1
