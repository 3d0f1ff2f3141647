"""One-sided p values against a tolerated size, for figures that can set off an alarm, and the power behind silence.

Each is held to be uniform or larger where the truth is the tolerated size, under pairs that depend within clusters.
Shapes: N values, G clusters.

>>> pairs, clusters = [0, 0, 0, 1] * 50, list(range(200))
>>> p_share_above(pairs, clusters, tolerated=0.05) < FAMILY_ALPHA, p_share_above(pairs, clusters, tolerated=0.25) > 0.3
(True, True)
>>> round(power_of_share(0.25, tolerated=0.05, size=200), 3)
1.0
"""

from __future__ import annotations

import math

import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Names, cluster_mean
from assay.stats.unknown import Unknown

# What one alarm of usual weight is held against at first: some thirty alarms of an audit share 5%, and the heavier ones
# take more of it. Power is stated at this level: "ok" says that a defect that matters would have set the alarm off.
FAMILY_ALPHA = 0.05 / 40


def effective_size(values_N: npt.ArrayLike, clusters: Names) -> float:
    """Independent draws that values in [0, 1] are worth; the number of clusters where they do not vary, 0 without."""
    found = cluster_mean(values_N, clusters)
    if isinstance(found, Unknown):
        return 0.0
    return found.n / found.design_effect if found.design_effect is not None else float(found.clusters)


def p_share_above(values_N: npt.ArrayLike, clusters: Names, tolerated: float) -> float | None:
    """The chance of a mean this high, for values in [0, 1], were the true share `tolerated`; None with one cluster.

    The larger of a binomial tail at the effective size (a share near 0 is skewed, and a normal tail is then too thin)
    and a t test with G - 1 degrees of freedom (few clusters say little about their own variance).
    """
    found = cluster_mean(values_N, clusters)
    if isinstance(found, Unknown) or found.clusters < 2 or found.variance is None:
        return None
    size = effective_size(values_N, clusters)
    whole = max(1, math.floor(size))
    hits = math.floor(found.mean * whole + 1e-9)
    # Special functions themselves, as everywhere in an audit: scipy.stats takes a hundred times as long for the same.
    tail = float(special.bdtrc(hits - 1, whole, tolerated))
    error = math.sqrt(max(found.variance, tolerated * (1 - tolerated) / size))
    return max(tail, float(special.stdtr(found.clusters - 1, (tolerated - found.mean) / error)))


def p_difference_below(difference_N: npt.ArrayLike, clusters: Names, tolerated: float) -> float | None:
    """The chance of a mean difference this low, for values in [-1, 1], were the true mean `tolerated` (above 0).

    Where the mean is `tolerated`, at least that share of values is not 0: a floor under a variance that is seen to be
    small, as where no value differs at all. None with one cluster.
    """
    found = cluster_mean(difference_N, clusters)
    if isinstance(found, Unknown) or found.clusters < 2 or found.variance is None:
        return None
    draws = found.clusters if found.variance == 0 else found.n
    error = math.sqrt(max(found.variance, tolerated * (1 - tolerated) / draws))
    return float(special.stdtr(found.clusters - 1, (found.mean - tolerated) / error))


def power_of_share(true: float, tolerated: float, size: float) -> float:
    """The chance that a true share sets off an alarm by itself at FAMILY_ALPHA, from `size` independent draws."""
    if size <= 0:
        return 0.0
    quantile = -float(special.ndtri(FAMILY_ALPHA))
    reach = abs(true - tolerated) * math.sqrt(size) - quantile * math.sqrt(tolerated * (1 - tolerated))
    spread = math.sqrt(true * (1 - true))
    return float(special.ndtr(reach / spread)) if spread > 0 else float(reach > 0)
