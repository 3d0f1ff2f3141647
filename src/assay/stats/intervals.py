"""Intervals for means over pairs that share prompts. Knows numbers and clusters; knows no pair and no model.

Pairs under one prompt are not independent, so the unit that varies is the cluster (the prompt group).
Which interval for what, by the coverage measured in tests/stats/test_coverage.py:
  a mean of values in [0, 1] (accuracy)         cluster_wilson: does not collapse when everything is right
  a win rate, ties counted half                 cluster_score: ties vary less than yes and no
  a mean of differences (accuracy - baseline)   cluster_t, or cluster_difference where all differences may be 0
  a mean of losses with a long tail             cluster_skew_t
  an AUC, or another figure near an end of 0..1 cluster_logit_t
  anything computed from sums (correlation)     cluster_bootstrap
Shapes: N values, G clusters, K sums per cluster, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special  # and not scipy.stats, half a second in every command that says an interval

from assay.stats.draws import stream
from assay.stats.unknown import Unknown

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Names = Sequence[str] | npt.NDArray[np.generic]  # of the cluster each value belongs to
FEW_CLUSTERS = 10  # below this many, resampling clusters has too few different draws to say anything about tails
CHUNK = 4_000_000  # resampling weights held in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval, and how it was made."""

    low: float
    high: float
    level: float
    method: str

    def to_dict(self) -> dict[str, float | str]:
        return {"low": self.low, "high": self.high, "level": self.level, "method": self.method}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMean:
    """A mean over pairs and what its clusters say about its error.

    variance: of the mean, with clusters as the unit that varies; None with one cluster.
    freedom: degrees of freedom of that variance, G - 1 where all clusters are of one size, fewer where they are not.
    design_effect: variance over that of N independent draws with this mean in [0, 1], at least 1;
    None where the values lie outside [0, 1] or do not vary.
    """

    mean: float
    n: int
    clusters: int
    variance: float | None
    design_effect: float | None
    freedom: float = 0.0


def cluster_codes(clusters: Names) -> Codes:
    """Cluster names as numbers 0..G-1; shape (N,)."""
    names = np.asarray(clusters)
    # Small whole numbers, as an audit has its groups, are numbered anew without sorting them: it asks a hundred times.
    if names.dtype.kind == "i" and names.size and names.min() >= 0 and names.max() < 4 * names.size + 1000:
        return np.asarray((np.cumsum(np.bincount(names) > 0) - 1)[names], dtype=np.intp)
    return np.unique(names, return_inverse=True)[1].astype(np.intp).ravel()


def cluster_mean(values_N: npt.ArrayLike, clusters: Names) -> ClusterMean | Unknown:
    """Mean of `values_N`, shape (N,), with its clustered variance."""
    values = np.asarray(values_N, dtype=np.float64)
    n = values.size
    if n == 0:
        return Unknown("no pairs")
    if not np.isfinite(values).all():
        return Unknown("values that are not finite")
    codes = cluster_codes(clusters)
    if codes.size != n:
        raise ValueError(f"{n} values but {codes.size} cluster names")
    groups = int(codes.max()) + 1
    mean = float(values.mean())
    if groups < 2:
        return ClusterMean(mean=mean, n=n, clusters=groups, variance=None, design_effect=None)
    # Residuals are added up within a group before they are squared: where its pairs err together the sum is large, and
    # that is all the dependence between them there is to know. A cluster pulls the mean its residuals are taken from
    # towards itself by its share of the pairs, so its sum is too small by that much: G/(G-1) where all are of one size.
    residual_G = np.bincount(codes, weights=values - mean, minlength=groups)
    share_G = np.bincount(codes, minlength=groups) / n
    variance = float((np.square(residual_G) / (1 - share_G)).sum() / n**2)
    # Groups may vary less than independent pairs, but by luck: below 1 the effect would narrow the interval for it.
    simple = mean * (1 - mean) / n
    bounded = values.min() >= 0 and values.max() <= 1
    varies = float(np.ptp(values)) > 0
    effect = max(variance / simple, 1.0) if bounded and varies else None
    return ClusterMean(
        mean=mean,
        n=n,
        clusters=groups,
        variance=variance if varies else 0.0,
        design_effect=effect,
        freedom=freedom_of(share_G),
    )


def freedom_of(share_G: Array) -> float:
    """Degrees of freedom of a variance over clusters that hold these shares of the pairs; at least 1.

    Satterthwaite's for a sum in which each cluster weighs by its size: (sum n)^2 / sum n^2 - 1. A hundred prompts of
    which three hold half of the pairs know as much of their own spread as about ten do.

    >>> round(freedom_of(np.full(20, 1 / 20)), 6), round(freedom_of(np.array([0.5, 0.25, 0.25])), 6)
    (19.0, 1.666667)
    """
    return max(1.0, float(1 / np.square(share_G).sum() - 1))


def wilson(successes: float, n: float, *, level: float = 0.95) -> Interval | Unknown:
    """Wilson's score interval of a proportion of independent draws. Source: Wilson 1927.

    >>> found = wilson(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.49, 0.943)
    """
    if n <= 0:
        return Unknown("no pairs")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    low, high = _wilson(successes / n, n, float(special.ndtri(0.5 + level / 2)))
    return Interval(low=low, high=high, level=level, method="Wilson")


def cluster_wilson(values_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95) -> Interval | Unknown:
    """Wilson's interval at the effective sample size that the clusters allow, for a mean of values in [0, 1].

    The effective size is N over the design effect (at least 1), the quantile Student's t with the degrees of freedom of
    `freedom_of`. Where nothing varies (all right or all wrong) the clusters alone count as draws: the interval is wide,
    never a point. Source: Korn & Graubard 1998, Dean & Pagano 2015.

    >>> found = cluster_wilson([1, 1, 0, 1, 1, 1], ["a", "a", "b", "b", "c", "c"])  # six pairs, three prompts
    >>> round(found.low, 2), round(found.high, 2)
    (0.15, 0.99)
    >>> cluster_wilson([1, 1], ["a", "a"]).reason
    'all pairs belong to one prompt group, so nothing is known about other prompts'
    """
    values = np.asarray(values_N, dtype=np.float64)
    if values.size and (values.min() < 0 or values.max() > 1):
        raise ValueError("cluster_wilson takes values in [0, 1]")
    return wilson_of(cluster_mean(values, clusters), level=level)


def wilson_of(found: ClusterMean | Unknown, *, level: float = 0.95) -> Interval | Unknown:
    """Wilson's interval of a mean of values in [0, 1] whose clustered variance is known already."""
    if isinstance(found, Unknown):
        return found
    if found.clusters < 2:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    # Where nothing varies the effect is unknown: the most that can be said is that each group is one draw.
    effective = found.n / found.design_effect if found.design_effect is not None else found.clusters
    low, high = _wilson(found.mean, effective, _t_quantile(level, found.freedom))
    return Interval(low=low, high=high, level=level, method="Wilson, clustered by prompt group")


def cluster_score(
    values_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95
) -> tuple[Interval | Unknown, float | None]:
    """Wilson's interval for votes that may be ties (values in [0, 1], such as 1, 1/2, 0), and its design effect.

    As `cluster_wilson`, but the variance is held to be at least that of independent draws with the spread seen, not
    with the spread p(1 - p) of plain yes and no: ties count half and vary less, and `cluster_wilson` then covers 99%.
    The design effect is N over the effective size against p(1 - p): below 1 with many ties; None where nothing varies.
    """
    found = cluster_mean(values_N, clusters)
    if isinstance(found, Unknown):
        return found, None
    values = np.asarray(values_N, dtype=np.float64)
    if values.min() < 0 or values.max() > 1:
        raise ValueError("cluster_score takes values in [0, 1]")
    if found.variance is None:
        return Unknown("all votes belong to one prompt, so nothing is known about other prompts"), None
    most, effect = found.mean * (1 - found.mean), None
    effective = float(found.clusters)
    spread = float(values.var())
    if spread > 0:
        # Wilson's formula takes the variance to be p(1 - p)/n: this is the n at which that is the variance there is.
        effective = most / max(found.variance, spread / found.n)
        effect = found.n / effective
    low, high = _wilson(found.mean, effective, _t_quantile(level, found.freedom))
    method = "Wilson for votes with ties, clustered by prompt"
    return Interval(low=low, high=high, level=level, method=method), effect


def cluster_t(values_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95) -> Interval | Unknown:
    """Student's t interval of a mean, clusters as the unit that varies."""
    found = cluster_mean(values_N, clusters)
    if isinstance(found, Unknown):
        return found
    if found.variance is None:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    half = _t_quantile(level, found.freedom) * math.sqrt(found.variance)
    return Interval(low=found.mean - half, high=found.mean + half, level=level, method="t, clustered by prompt group")


def cluster_skew_t(values_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95) -> Interval | Unknown:
    """The t interval moved for skew, for losses of which a few pairs make up most.

    t is too short on the side of the long tail. Hall's transform of t, g(t) = t + a t^2 / 3 + a^2 t^3 / 27 + a / 6 with
    a the skewness of the cluster sums over the root of their number, has a normal's quantiles; they are turned back
    here.
    Source: Hall 1992.

    >>> found = cluster_skew_t([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3])  # no skew: the t interval
    >>> found == replace(cluster_t([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3]), method=found.method)
    True
    """
    found, plain = cluster_mean(values_N, clusters), cluster_t(values_N, clusters, level=level)
    if isinstance(found, Unknown) or isinstance(plain, Unknown) or not found.variance:
        return plain
    codes = cluster_codes(clusters)
    values = np.asarray(values_N, dtype=np.float64)
    sums_G = np.bincount(codes, weights=values - found.mean)
    skew = float((sums_G**3).mean() / (sums_G**2).mean() ** 1.5) / math.sqrt(found.clusters)
    error, bar = math.sqrt(found.variance), _t_quantile(level, found.freedom)
    if abs(skew) < 1e-12:
        return replace(plain, method="t moved for skew, clustered by prompt group")

    def back(score: float) -> float:
        inner = 1 + skew * (score - skew / 6)
        return 3 / skew * (math.copysign(abs(inner) ** (1 / 3), inner) - 1)

    low, high = found.mean - error * back(bar), found.mean - error * back(-bar)
    return Interval(low=low, high=high, level=level, method="t moved for skew, clustered by prompt group")


def cluster_logit_t(pulls_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95) -> Interval | Unknown:
    """The t interval of a figure in [0, 1] made on the scale of log odds, for one near an end, such as an AUC.

    pulls: what each pair adds to the figure, centred on it. On its own scale an AUC of .98 seems as far from .99 as
    from .97; it is not, and plain t lies above the truth in 7% of draws and below it in 1%. Where nothing varies the
    clusters count as draws, as in `cluster_wilson`. Source: Pepe 2003, section 5.2.
    """
    found = cluster_mean(pulls_N, clusters)
    if isinstance(found, Unknown):
        return found
    if found.variance is None:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    bar, mean, method = _t_quantile(level, found.freedom), found.mean, "t on log odds, clustered by prompt group"
    if found.variance == 0 or not 0 < mean < 1:
        low, high = _wilson(min(max(mean, 0.0), 1.0), found.clusters, bar)
    else:
        half = bar * math.sqrt(found.variance) / (mean * (1 - mean))
        low, high = (float(special.expit(special.logit(mean) + side * half)) for side in (-1, 1))
    return Interval(low=low, high=high, level=level, method=method)


def cluster_difference(
    first_N: npt.ArrayLike, second_N: npt.ArrayLike, clusters: Names, *, level: float = 0.95
) -> Interval | Unknown:
    """Interval of mean(first - second) over the same pairs; both in [0, 1], so each pair is its own control.

    Where the two never differ, G clusters without a difference still allow a share of z^2/(G + z^2) of them.
    """
    first, second = np.asarray(first_N, dtype=np.float64), np.asarray(second_N, dtype=np.float64)
    interval = cluster_t(first - second, clusters, level=level)
    if isinstance(interval, Unknown):
        return interval
    low, high = max(interval.low, -1.0), min(interval.high, 1.0)
    if interval.low == interval.high:
        groups = int(cluster_codes(clusters).max()) + 1
        square = _t_quantile(level, groups - 1) ** 2
        slack = square / (groups + square)
        low, high = max(low - slack, -1.0), min(high + slack, 1.0)
    return Interval(low=low, high=high, level=level, method="paired t, clustered by prompt group")


def cluster_bootstrap(
    sums_NK: npt.ArrayLike,
    clusters: Names,
    statistic: Callable[[Array], Array],
    *,
    use: str,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | Unknown:
    """Bootstrap interval of `statistic`, which maps sums over pairs, shape (R, K), to shape (R,).

    sums_NK: what each pair adds to the K sums; for a mean that is (value, 1).
    Whole clusters are drawn with replacement. The percentiles are widened as Student's t is against the normal, so
    that few clusters do not look like many (Hesterberg 2015, "expanded percentile"); under 10 clusters the standard
    error of the resamples goes into a t interval instead. Same seed and same `use`: same interval.
    """
    sums = np.asarray(sums_NK, dtype=np.float64)
    if sums.ndim != 2 or sums.shape[0] == 0:
        return Unknown("no pairs")
    codes = cluster_codes(clusters)
    groups = int(codes.max()) + 1
    if groups < 2:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    # Within clusters first: a resample is then a weighting of G rows, one matrix product, however many pairs there are.
    sums_GK: Array = np.column_stack(
        [np.bincount(codes, weights=column, minlength=groups) for column in sums.T]
    ).astype(np.float64)
    freedom = freedom_of(np.bincount(codes, minlength=groups) / codes.size)
    draws = _resample(sums_GK, statistic, resamples=resamples, generator=stream(seed, f"bootstrap: {use}"))
    draws = draws[np.isfinite(draws)]
    # Many left out would make it an interval of the resamples that happened to work.
    if draws.size < 0.9 * resamples:
        return Unknown("the figure is undefined in more than one resample in ten")
    if groups < FEW_CLUSTERS:
        centre = float(statistic(sums_GK.sum(axis=0, keepdims=True))[0])
        # Drawing G clusters out of G gives a variance too small by (G-1)/G; here and below it is put back.
        half = _t_quantile(level, freedom) * float(draws.std(ddof=1)) * math.sqrt(groups / (groups - 1))
        low, high, how = centre - half, centre + half, "bootstrap t, clustered by prompt group"
    else:
        widened = math.sqrt(groups / (groups - 1)) * _t_quantile(level, freedom)
        tail = float(special.ndtr(-widened))
        low, high = map(float, np.quantile(draws, [tail, 1 - tail]))
        how = "bootstrap, clustered by prompt group"
    return Interval(low=low, high=high, level=level, method=how)


def ending(interval: Interval | Unknown, low: float, high: float) -> Interval | Unknown:
    """The interval, ended at the least and the greatest value that its figure can have."""
    if isinstance(interval, Unknown):
        return interval
    return replace(interval, low=max(interval.low, low), high=min(interval.high, high))


def mean_of_sums(sums_RK: Array) -> Array:
    """The statistic of a mean: sums of (value, 1)."""
    return np.asarray(sums_RK[:, 0] / sums_RK[:, 1])


def _resample(
    sums_GK: Array, statistic: Callable[[Array], Array], *, resamples: int, generator: np.random.Generator
) -> Array:
    groups = sums_GK.shape[0]
    rows = max(1, CHUNK // groups)
    found = []
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(0, groups, size=(size, groups))
        # Each resample counts in a range of its own, so that one bincount serves them all.
        drawn += np.arange(size)[:, None] * groups
        weights = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(statistic(weights @ sums_GK))
    return np.concatenate(found)


def _t_quantile(level: float, freedom: float) -> float:
    # The special function itself: scipy.stats takes a millisecond for the same number, and an audit asks often.
    return float(special.stdtrit(freedom, 0.5 + level / 2))


def _wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    square = quantile**2 / n
    centre = (share + square / 2) / (1 + square)
    half = quantile / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    # At a share of 0 or 1 the formula gives exactly that end; rounding would leave 1e-17 in its place.
    low = 0.0 if share == 0 else max(0.0, centre - half)
    return low, 1.0 if share == 1 else min(1.0, centre + half)
