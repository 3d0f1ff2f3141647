"""Interval of a figure made of several means (a weighted mean of subsets, an F1) by leaving out one cluster at a time.

Deterministic, and needs no formula of its own for each figure. Knows sums and clusters; knows no pair.
Shapes: N values, G clusters, K sums per value.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from assay.stats.intervals import Array, Interval, Names, cluster_codes
from assay.stats.unknown import Unknown


def cluster_jackknife(
    sums_NK: npt.ArrayLike, clusters: Names, statistic: Callable[[Array], Array], *, level: float = 0.95
) -> Interval | Unknown:
    """Student's t interval of `statistic`, which maps sums, shape (R, K), to shape (R,), around its value on all.

    The variance is (G-1)/G of the squared deviations of the G figures without one cluster, with G - 1 degrees of
    freedom; the statistic must be smooth in its sums (a median is not). Source: Tukey 1958, Efron & Stein 1981.

    >>> found = cluster_jackknife([(1, 1), (1, 1), (0, 1), (1, 1)], list("abcd"), lambda sums: sums[:, 0] / sums[:, 1])
    >>> round(found.low, 2), round(found.high, 2)  # .75 and the t interval of a mean: 3.18 x .25
    (-0.05, 1.55)
    """
    sums = np.asarray(sums_NK, dtype=np.float64)
    if sums.ndim != 2 or sums.shape[0] == 0:
        return Unknown("no pairs")
    codes = cluster_codes(clusters)
    groups = int(codes.max()) + 1
    if groups < 2:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    sums_GK = np.column_stack([np.bincount(codes, weights=column, minlength=groups) for column in sums.T])
    total = sums_GK.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, without_G = float(statistic(total)[0]), statistic(total - sums_GK)
    if not (math.isfinite(value) and np.isfinite(without_G).all()):
        return Unknown("without one of its prompts the figure would not exist")
    spread = float(np.square(without_G - without_G.mean()).sum())
    # Rounding alone leaves some 1e-32 where no prompt changes anything.
    if spread < 1e-24:
        return Unknown("no prompt changes the figure, so it does not say how it would vary over others")
    half = float(scipy_stats.t.ppf(0.5 + level / 2, groups - 1)) * math.sqrt((groups - 1) / groups * spread)
    return Interval(low=value - half, high=value + half, level=level, method="jackknife over prompts")
