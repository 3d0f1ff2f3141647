"""What a recipe does, of which some seeds are known: the seeds' own spread is part of the error. Knows no model.

Shapes: S seeds, N values (pairs).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from assay.stats.intervals import Array, ClusterMean, Interval, Names, cluster_mean, cluster_t
from assay.stats.unknown import Unknown

BENT = 1.5  # see quantile_with_seeds


def recipe_mean(values_SN: Array, clusters: Names) -> ClusterMean | Unknown:
    """Mean over seeds and pairs, with the variance of pairs and of seeds.

    Prompts vary and so do seeds: Var = clustered variance of the seeds' mean + s^2 / S, where s^2 is the variance of
    the S seeds' own means. Degrees of freedom by Satterthwaite, since three seeds tell little of their spread. s^2
    holds some of the pairs' luck as well, which is then counted twice: at a thousand pairs and equal seeds the
    interval is some 5% too wide. Where three seeds are nine tenths of the variance it is too narrow, and holds at 92%
    (see quantile_with_seeds); of accuracies, a twentieth to a third is usual. With one seed the variance is that of the
    pairs alone.

    >>> recipe_mean(np.array([[1.0, 1, 1, 0], [1, 0, 1, 0]]), ["a", "b", "c", "d"]).mean
    0.625
    """
    values = np.atleast_2d(np.asarray(values_SN, dtype=np.float64))
    seeds = values.shape[0]
    found = cluster_mean(values.mean(axis=0), clusters)
    if isinstance(found, Unknown) or found.variance is None or seeds < 2:
        return found
    between = float(values.mean(axis=1).var(ddof=1)) / seeds
    if between == 0:
        return found
    variance = found.variance + between
    simple = found.mean * (1 - found.mean) / found.n
    # Wilson's formula takes a design effect for all that is not independent draws, seeds included.
    effect = max(variance / simple, found.design_effect or 1.0) if simple > 0 else None
    freedom = variance**2 / (found.variance**2 / found.freedom + between**2 / (seeds - 1))
    return replace(found, variance=variance, design_effect=effect, freedom=max(1.0, freedom))


def variance_of_seeds(mean_S: Array) -> float:
    """Variance of a mean over seeds by what other seeds of the same recipe would have given; 0 with one seed.

    >>> round(variance_of_seeds(np.array([0.7, 0.8, 0.9])), 6)  # 0.01 of one seed, a third of it of their mean
    0.003333
    """
    return float(mean_S.var(ddof=1) / mean_S.size) if mean_S.size > 1 else 0.0


def quantile_with_seeds(share: float, *, freedom: float, level: float) -> float:
    """The quantile for an error of which seeds make up `share`, by a variance with few degrees of freedom.

    q^2 = (1 - w) z^2 + w t^2, w = share^1.5. Satterthwaite's degrees of freedom take the share that was estimated for
    the true one: three seeds that agree by luck lower variance and quantile at once, and an interval that claims 95%
    holds at 92.2% where seeds are nine tenths of the error. w = share (Cochran's weights) never holds less than it
    claims and up to 97.7%; with 1.5 three seeds hold at 94.8 to 96.4%, five and more at 95.0 to 95.7%, two at 94.1 to
    97.5%, as integrated over the chi-squared, whatever share is true; at levels of 90% and 99% alike.

    >>> [round(quantile_with_seeds(share, freedom=2, level=0.95), 2) for share in (0.0, 0.5, 1.0)]
    [1.96, 3.0, 4.3]
    """
    tail, weight = 0.5 + level / 2, share**BENT
    z, t = float(special.ndtri(tail)), float(special.stdtrit(freedom, tail))
    return math.sqrt((1 - weight) * z**2 + weight * t**2)


def with_seeds(found: Interval, mean: float, pairs: float, seeds: float, *, freedom: float) -> Interval:
    """The interval of the recipes: seeds beside pairs as what varies.

    pairs, seeds: variances of the mean. freedom: of the seeds' variance. With three seeds a side that is known badly,
    and the quantile says so.
    """
    total = pairs + seeds
    half = quantile_with_seeds(seeds / total, freedom=freedom, level=found.level) * math.sqrt(total)
    # Never narrower than over the pairs alone, whose quantile is that of its prompt groups.
    half = max(half, (found.high - found.low) / 2)
    return replace(found, low=mean - half, high=mean + half, method=f"{found.method}, seeds as drawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one recipe gives. value_N: of each prompt or pair, mean over seeds; mean_S: of each seed, over all of it.

    seeds: their numbers. Two recipes trained with the same ones begin with the same head and see pairs in one order.
    """

    value_N: Array
    mean_S: Array
    seeds: tuple[int, ...] = ()


def seeds_of_difference(first: Recipe, second: Recipe) -> tuple[float, float]:
    """Variance of the seeds in a mean difference, and its degrees of freedom; 0 and 0 where no side has several.

    Same seeds are paired: what both share by them is no error of the difference. That holds whether they share much or
    nothing; where it is nothing, it costs degrees of freedom. Others vary by themselves.
    """
    if first.seeds and first.seeds == second.seeds:
        return variance_of_seeds(first.mean_S - second.mean_S), first.mean_S.size - 1
    return seeds_apart([first.mean_S, second.mean_S])


def seeds_apart(sides: Sequence[Array]) -> tuple[float, float]:
    """Variance of the seeds in a difference of sides that vary by themselves, and its degrees of freedom.

    A side that hardly varies lends the other none of its degrees of freedom (Welch 1947).

    >>> seeds_apart([np.array([1.0, 3.0]), np.array([2.0, 2.0])])
    (1.0, 1.0)
    """
    several = [(variance_of_seeds(mean_S), mean_S.size - 1) for mean_S in sides if mean_S.size > 1]
    total = sum(variance for variance, _ in several)
    parts = sum(variance**2 / freedom for variance, freedom in several)
    return (total, total**2 / parts) if parts > 0 else (0.0, 0.0)


def recipe_difference(
    first: Recipe,
    second: Recipe,
    clusters: Names,
    *,
    level: float = 0.95,
    alone: Interval | Unknown | None = None,
) -> tuple[float, Interval | Unknown]:
    """Mean of first - second over the same prompts, and its interval over prompt groups and both recipes' seeds.

    In the unit of the values, which may be any. alone: the interval over prompt groups alone, where another than
    Student's t holds better, as for shares that hardly ever differ.

    >>> a = Recipe(value_N=np.array([2.0, 3.0, 2.0, 3.0]), mean_S=np.array([2.5]))
    >>> b = Recipe(value_N=np.array([1.0, 1.0, 1.0, 1.0]), mean_S=np.array([1.0]))
    >>> mean, found = recipe_difference(a, b, ["a", "b", "c", "d"])
    >>> mean, round(found.low, 2), round(found.high, 2)
    (1.5, 0.58, 2.42)
    """
    apart_N = first.value_N - second.value_N
    found = cluster_mean(apart_N, clusters)
    interval = cluster_t(apart_N, clusters, level=level) if alone is None else alone
    assert not isinstance(found, Unknown)  # callers hand on finite values of one prompt at least
    seeds, freedom = seeds_of_difference(first, second)
    if isinstance(interval, Interval) and found.variance is not None and seeds > 0:
        interval = with_seeds(interval, found.mean, found.variance, seeds, freedom=freedom)
    return found.mean, interval
