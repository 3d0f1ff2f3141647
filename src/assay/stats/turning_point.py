"""Where a curve of means over the same prompts is highest, which points may be, and how far it falls to its end.

The highest of noisy means is a biased guess, and resampling it jumps from point to point. So each point is asked
whether another is surely higher, by paired differences; those of which none is may be the highest. The fall is bounded
for all starting points at once, since the one that looks best was picked by looking.
Knows numbers and clusters. Shapes: G prompts, C clusters, M points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.stats.intervals import Array, Interval, Names, cluster_codes, freedom_of
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """What was found. highest: place of the highest mean, the earliest where equal.

    p: by point, that it is as high as every other: Holm's smallest adjusted p over its rivals; (M,). may_be: places
    not surely below another. fall: from the highest point to the last, at least 0. steepest: the place from which the
    fall is surest, None where none is surely above the last.
    """

    highest: int
    p: tuple[float, ...]
    may_be: tuple[int, ...]
    fall: float
    fall_interval: Interval
    steepest: int | None


def turning(value_GM: Array, clusters: Names, *, level: float = 0.95) -> Turning | Unknown:
    """The highest point of the mean curve over prompts, (G, M), each prompt counted once.

    may_be holds the truly highest point in at least `level` of samples (a set of multiple comparisons with the best);
    fall_interval covers the true fall to the last point in at least `level`, whichever point is the highest: both by
    Bonferroni's bound over the M - 1 rivals, which knows nothing of how they depend on each other.
    """
    prompts, points = value_GM.shape
    codes = cluster_codes(clusters)
    groups = int(codes.max()) + 1 if prompts else 0
    if groups < 2:
        return Unknown("all prompts are of one group, so nothing is known about others")
    if points < 2:
        return Unknown("one point is no curve")
    mean_M = value_GM.mean(axis=0)
    covariance_MM, freedom = clustered_covariance(value_GM, codes)
    # Of each couple (row, column): how far the column lies above the row, and the error of that paired difference.
    apart_MM = mean_M[None, :] - mean_M[:, None]
    spread_M = np.diag(covariance_MM)
    error_MM = np.sqrt(np.maximum(spread_M[:, None] + spread_M[None, :] - 2 * covariance_MM, 0.0))
    p_MM = one_sided(apart_MM, error_MM, freedom, groups)
    np.fill_diagonal(p_MM, 1.0)
    p_M = np.minimum(p_MM.min(axis=1) * (points - 1), 1.0)  # Holm's first step, which is all that the smallest needs
    reach = float(special.stdtrit(freedom, 1 - (1 - level) / 2 / (points - 1)))
    fall_M, error_M = mean_M[:-1] - mean_M[-1], error_MM[:-1, -1]
    low_M = fall_M - reach * error_M
    steepest = int(np.argmax(low_M))
    highest = int(np.argmax(mean_M))
    return Turning(
        highest=highest,
        p=tuple(map(float, p_M)),
        may_be=tuple(np.flatnonzero(p_M > 1 - level).tolist()) or (highest,),
        fall=max(0.0, float(fall_M.max())),
        fall_interval=Interval(
            low=max(0.0, float(low_M.max())),
            high=max(0.0, float((fall_M + reach * error_M).max())),
            level=level,
            method="paired t for all starting points at once, clustered by prompt group",
        ),
        steepest=steepest if low_M[steepest] > 0 else None,
    )


def clustered_covariance(value_GM: Array, codes: Names) -> tuple[Array, float]:
    """Covariance of the M means with clusters as the unit that varies, as `cluster_mean` has the variance of one;
    (M, M), and its degrees of freedom."""
    numbers = cluster_codes(codes)
    residual = value_GM - value_GM.mean(axis=0)
    count = int(numbers.max()) + 1
    sum_CM = np.zeros((count, value_GM.shape[1]))
    np.add.at(sum_CM, numbers, residual)
    share_C = np.bincount(numbers, minlength=count) / len(numbers)
    covariance = (sum_CM / (1 - share_C)[:, None]).T @ sum_CM / len(numbers) ** 2
    return np.asarray(covariance), freedom_of(share_C)


def one_sided(apart: Array, error: Array, freedom: float, groups: int) -> Array:
    """p values of "not above 0". Where every group says the same there is no error: so many coins fell alike."""
    # What is left of a difference of equal columns is rounding, and no error to divide by.
    known = error > 1e-12 * np.maximum(np.abs(apart), 1e-300)
    score = np.divide(apart, error, out=np.zeros_like(apart), where=known)
    alike = np.where(apart > 0, 0.5**groups, 1.0)
    return np.asarray(np.where(known, special.stdtr(freedom, -score), alike))
