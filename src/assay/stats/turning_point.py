"""Where a curve of means over the same prompts is highest, which points may be, and how far it falls anywhere.

The highest of noisy means is a biased guess, and resampling it jumps from point to point. So each point is asked
whether another is surely higher, by paired differences; those of which none is may be the highest. The fall is bounded
for all couples of points at once, since the one that looks steepest was picked by looking.
Knows numbers and clusters. Shapes: G prompts, C clusters, M points, P couples of points, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.stats.draws import stream
from assay.stats.intervals import Array, Interval, Names, cluster_codes, freedom_of
from assay.stats.unknown import Unknown

DRAWS = 20_000  # of the largest of all couples; its quantile is then right to about 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """What was found. highest: place of the highest mean, the earliest where equal.

    p: by point, that it is as high as every other: Holm's smallest adjusted p over its rivals; (M,). may_be: places
    not surely below another. fall: the largest from any point to a later one, at least 0, and between: which two.
    surest: the couple whose fall is bounded furthest from 0, None where none is shown to fall.
    """

    highest: int
    p: tuple[float, ...]
    may_be: tuple[int, ...]
    fall: float
    fall_interval: Interval
    between: tuple[int, int]
    surest: tuple[int, int] | None


def turning(value_GM: Array, clusters: Names, *, level: float = 0.95) -> Turning | Unknown:
    """The highest point of the mean curve over prompts, (G, M), each prompt counted once, and its largest fall.

    may_be holds the truly highest point in at least `level` of samples (multiple comparisons with the best, by
    Bonferroni's bound over M - 1 rivals). fall_interval covers the truly largest fall in at least `level`: bounds for
    all couples at once, by the quantile of the largest of them under the covariance seen (max-t).

    >>> curves = np.array([[0.0, 1.0, 0.2], [0.1, 1.2, 0.1], [0.0, 0.9, 0.3], [0.2, 1.1, 0.2]])
    >>> found = turning(curves, ["a", "b", "c", "d"])
    >>> found.highest, found.may_be, round(found.fall, 2), found.surest
    (1, (1,), 0.85, (1, 2))
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
    early, late = np.triu_indices(points, 1)
    fall_P, error_P = -apart_MM[early, late], error_MM[early, late]
    reach = largest_of_couples(covariance_MM, (early, late), freedom, level=level)
    low_P = fall_P - reach * error_P
    deepest, surest, highest = int(np.argmax(fall_P)), int(np.argmax(low_P)), int(np.argmax(mean_M))
    return Turning(
        highest=highest,
        p=tuple(map(float, p_M)),
        may_be=tuple(np.flatnonzero(p_M > 1 - level).tolist()) or (highest,),
        fall=max(0.0, float(fall_P.max())),
        fall_interval=Interval(
            low=max(0.0, float(low_P.max())),
            high=max(0.0, float((fall_P + reach * error_P).max())),
            level=level,
            method="paired t for all couples of n at once, clustered by prompt group",
        ),
        between=(int(early[deepest]), int(late[deepest])),
        surest=(int(early[surest]), int(late[surest])) if low_P[surest] > 0 else None,
    )


def largest_of_couples(
    covariance_MM: Array, couples: tuple[np.ndarray, np.ndarray], freedom: float, *, level: float
) -> float:
    """How many errors all paired differences stay within at once with chance `level`, were the true ones 0.

    Points of one curve move together: Bonferroni's bound over their couples would be a third wider.
    """
    draw = stream(0, "turning point: largest of couples")
    value, vector = np.linalg.eigh(covariance_MM)
    moved_RM = draw.normal(size=(DRAWS, len(value))) * np.sqrt(np.maximum(value, 0.0)) @ vector.T
    early, late = couples
    spread = np.diag(covariance_MM)
    error_P = np.sqrt(np.maximum(spread[early] + spread[late] - 2 * covariance_MM[early, late], 0.0))
    known = error_P > 1e-9 * np.sqrt(spread.max())
    if not known.any():
        return float(special.stdtrit(freedom, 0.5 + level / 2))
    score_RP = np.abs(moved_RM[:, early[known]] - moved_RM[:, late[known]]) / error_P[known]
    # Errors are estimated, all from the same prompts: one chi-square of a draw divides all of its scores.
    score_R = score_RP.max(axis=1) / np.sqrt(draw.chisquare(freedom, size=DRAWS) / freedom)
    return float(np.quantile(score_R, level))


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
