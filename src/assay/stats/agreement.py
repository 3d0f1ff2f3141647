"""How far several people say the same. Knows labels by item and rater; knows no study.

Krippendorff's alpha in the coincidence-matrix form, with missing values; Cohen's kappa and Gwet's AC1 for two raters.
Shapes: U units (items), R raters, C categories. Labels are numbers, NaN where a rater said nothing about a unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import (
    Array,
    Interval,
    Names,
    cluster_bootstrap,
    cluster_wilson,
    ending,
    mean_of_sums,
)
from assay.stats.unknown import Unknown

Metric = Literal["nominal", "ordinal", "interval"]
CLUSTERED = "clustered by prompt group"  # as the bootstrap calls what it draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """1 for perfect agreement, 0 for what chance would give, below 0 for less.

    observed: share of pairable labels that agree, as the metric weighs them (nominal: plain share).
    units: items with at least two labels; labels: how many they hold.
    """

    value: float
    interval: Interval | Unknown
    metric: Metric
    observed: float
    units: int
    labels: int


def alpha(
    label_UR: npt.ArrayLike,
    *,
    metric: Metric = "nominal",
    clusters: Names | None = None,
    exchangeable: tuple[float, float] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Alpha | Unknown:
    """Krippendorff's alpha over units with at least two labels, with a bootstrap interval that draws whole clusters.

    clusters: one name a unit, such as its prompt; each unit by itself where not given. exchangeable: two labels that
    might as well be named the other way round on any unit, such as "its first answer" and "its second": every unit
    then counts half under either naming, so that agreement by chance does not depend on which was called first.

    Where every unit agrees alike (all fully, say) draws cannot differ: Wilson's interval of the agreement takes over.
    Unknown with fewer than two labels on every unit, or where all labels are the same: chance agreement is then 1.
    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".

    >>> found = alpha([[1, 1], [0, 0], [1, 0], [0, 0]])  # two raters, four items, one disagreement
    >>> round(found.value, 3)  # 1 - (8 - 1) x 2 / (2 x 3 x 5)
    0.533
    """
    labels = np.asarray(label_UR, dtype=np.float64)
    count_UC, values_C = label_counts(labels)
    judged_U = count_UC.sum(axis=1) >= 2
    names_U, whole = drawn_whole(clusters, judged_U)
    count_UC = count_UC[judged_U]
    if not count_UC.shape[0]:
        return Unknown("no item was judged by two people")
    # Labels given only where nobody else judged pair with nothing. Kept, they would hide that all that can be paired
    # are the same.
    used = count_UC.sum(axis=0) > 0
    count_UC, values_C = count_UC[:, used], values_C[used]
    if exchangeable is not None:
        count_UC, values_C = with_both(count_UC, values_C, exchangeable)
    if values_C.size < 2:
        return Unknown("everyone said the same about every item, and agreement by chance is then certain as well")
    other_C = exchanged(values_C, exchangeable)
    pairs_UCC = coincidences(count_UC, other_C)
    coincidence_CC = pairs_UCC.sum(axis=0)
    value = float(_alpha_of(coincidence_CC[None], values_C, metric)[0])
    if len(pairs_UCC) < 2:
        interval: Interval | Unknown = Unknown("one item says nothing about others")
    elif metric == "nominal" and float(np.ptp(_shares(count_UC))) == 0:
        # The labels of the whole pile, which say what chance would give: under both namings as well.
        total_C = (count_UC.sum(axis=0) + count_UC[:, other_C].sum(axis=0)) / 2
        interval = _alpha_where_alike((_shares(count_UC), names_U), total_C, value, level=level)
    else:
        drawn = names_U, whole
        interval = _bootstrapped(pairs_UCC, values_C, metric, drawn, level=level, resamples=resamples, seed=seed)
    return Alpha(
        value=value,
        interval=interval,
        metric=metric,
        observed=float(np.trace(coincidence_CC) / coincidence_CC.sum()),
        units=len(pairs_UCC),
        labels=int(count_UC.sum()),
    )


def _bootstrapped(
    pairs_UCC: Array,
    values_C: Array,
    metric: Metric,
    drawn: tuple[Names, str],
    *,
    level: float,
    resamples: int,
    seed: int,
) -> Interval | Unknown:
    """The interval of alpha from drawing units again in whole clusters. drawn: their names, and how that is called."""
    names_U, whole = drawn
    # Alpha is a function of the coincidence matrix, and that is a sum over units: drawing units again needs no label,
    # only sums.
    interval = cluster_bootstrap(
        pairs_UCC.reshape(len(pairs_UCC), -1),
        names_U,
        lambda sums_RK: _alpha_of(sums_RK.reshape(-1, values_C.size, values_C.size), values_C, metric),
        use=f"krippendorff {metric}",
        level=level,
        resamples=resamples,
        seed=seed,
    )
    if isinstance(interval, Interval):
        return ending(replace(interval, method=interval.method.replace(CLUSTERED, whole)), -1.0, 1.0)
    return interval


def exchanged(values_C: Array, exchangeable: tuple[float, float] | None) -> npt.NDArray[np.intp]:
    """The place of each label's other name, shape (C,): its own, but for two that may be named either way."""
    other_C = np.arange(values_C.size)
    if exchangeable is not None:
        one, two = (int(np.flatnonzero(values_C == value)[0]) for value in exchangeable)
        other_C[[one, two]] = two, one
    return other_C


def coincidences(count_UC: Array, other_C: npt.NDArray[np.intp]) -> Array:
    """What each unit adds to the coincidence matrix, shape (U, C, C), half under either name of its labels."""
    # Each unit adds n_c n_k / (m - 1) off the diagonal and n_c (n_c - 1) / (m - 1) on it.
    pairs_UCC = count_UC[:, :, None] * count_UC[:, None, :]
    index = np.arange(count_UC.shape[1])
    pairs_UCC[:, index, index] -= count_UC
    pairs_UCC /= (count_UC.sum(axis=1) - 1)[:, None, None]
    # Names change what chance gives and never what two labels of one unit differ by.
    return np.asarray((pairs_UCC + pairs_UCC[:, other_C][:, :, other_C]) / 2)


def _shares(count_UC: Array) -> Array:
    """Share of agreeing pairs of labels within each unit, shape (U,)."""
    size_U = count_UC.sum(axis=1)
    return np.asarray((count_UC * (count_UC - 1)).sum(axis=1) / (size_U * (size_U - 1)))


def _alpha_where_alike(
    agreed: tuple[Array, Names], total_C: Array, value: float, *, level: float
) -> Interval | Unknown:
    """Wilson's interval of the agreement seen, through alpha = 1 - (1 - agreement) / disagreement by chance."""
    found = cluster_wilson(*agreed, level=level)
    if isinstance(found, Unknown):
        return found
    # Chance that two labels of the whole pile disagree, the second drawn without putting the first back.
    n = float(total_C.sum())
    chance = (n**2 - float(np.square(total_C).sum())) / (n * (n - 1))
    low, high = (1 - (1 - end) / chance for end in (found.low, found.high))
    method = "Wilson of the agreement, items alike"
    return Interval(low=max(min(low, value), -1.0), high=min(max(high, value), 1.0), level=level, method=method)


def drawn_whole(clusters: Names | None, judged_U: npt.NDArray[np.bool_]) -> tuple[Names, str]:
    """What a bootstrap draws of the units judged twice, and how that is called: clusters, or the units themselves."""
    own = np.arange(int(judged_U.sum()))
    if clusters is None:
        return own, "items drawn whole"
    names = np.asarray(clusters)[judged_U]
    # One unit a cluster is the same as no cluster, and its draws are then those of the units.
    return (own, "items drawn whole") if len(set(names.tolist())) == own.size else (names, "prompts drawn whole")


def with_both(count_UC: Array, values_C: Array, exchangeable: tuple[float, float]) -> tuple[Array, Array]:
    """The counts with a column for each of two labels that stand for one another, though nobody may have given one."""
    absent = [value for value in exchangeable if value not in values_C]
    order = np.argsort(values := np.concatenate([values_C, absent]))
    return np.column_stack([count_UC, np.zeros((len(count_UC), len(absent)))])[:, order], values[order]


def label_counts(label_UR: Array) -> tuple[Array, Array]:
    """How many raters gave each label to each unit, shape (U, C), and the labels in order, shape (C,)."""
    values_C = np.unique(label_UR[np.isfinite(label_UR)])
    return (label_UR[:, :, None] == values_C).sum(axis=1).astype(np.float64), values_C


def _alpha_of(coincidence_RCC: Array, values_C: Array, metric: Metric) -> Array:
    """Alpha of each coincidence matrix; NaN where it is undefined."""
    total_RC = coincidence_RCC.sum(axis=2)
    n_R = total_RC.sum(axis=1)
    distance_RCC = DISTANCES[metric](values_C, total_RC)
    observed_R = (coincidence_RCC * distance_RCC).sum(axis=(1, 2))
    # Expected: every pairing of two of the n labels, without a label's pairing with itself (distance 0 anyway).
    expected_R = (total_RC[:, :, None] * total_RC[:, None, :] * distance_RCC).sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (n_R - 1) * observed_R / expected_R)


def _nominal(values_C: Array, total_RC: Array) -> Array:
    size = values_C.size
    return np.broadcast_to(1 - np.eye(size), (len(total_RC), size, size))


def _interval(values_C: Array, total_RC: Array) -> Array:
    size = values_C.size
    return np.broadcast_to(np.square(values_C[:, None] - values_C), (len(total_RC), size, size))


def _ordinal(values_C: Array, total_RC: Array) -> Array:
    """(sum of the labels' counts from c to k, less half of both ends) squared: ranks as the data use them."""
    middle_RC = np.cumsum(total_RC, axis=1) - total_RC / 2
    return np.asarray(np.square(middle_RC[:, :, None] - middle_RC[:, None, :]))


DISTANCES: Mapping[Metric, Callable[[Array, Array], Array]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two raters on the units both labelled. kappa and ac1 are None, with `reason`, where chance leaves no room."""

    n: int
    raw: float
    kappa: float | None
    ac1: float | None
    reason: str | None = None


def pair_agreement(first_U: npt.ArrayLike, second_U: npt.ArrayLike, *, categories: int) -> PairAgreement | Unknown:
    """Raw agreement, Cohen's kappa and Gwet's AC1 of two raters; NaN where one said nothing.

    categories: how many labels there are to choose from (AC1's chance agreement depends on it).
    Kappa's chance agreement comes from each rater's own habits, AC1's from the labels' shares over both, so that two
    people who almost always say the same are not told that chance did it. Sources: Cohen 1960, Gwet 2008.
    """
    first, second = np.asarray(first_U, dtype=np.float64), np.asarray(second_U, dtype=np.float64)
    both = np.isfinite(first) & np.isfinite(second)
    n = int(both.sum())
    if not n:
        return Unknown("they judged no item in common")
    first, second = first[both], second[both]
    raw = float((first == second).mean())
    values = np.unique(np.concatenate([first, second]))
    a, b = ((labels[:, None] == values).mean(axis=0) for labels in (first, second))
    # Kappa: both pick alike by chance, each by his own habit. AC1: by the shares of both together, which falls to 0,
    # and not to 1, where nearly everything gets one label.
    chance = float((a * b).sum())
    mean = (a + b) / 2
    gwet = float((mean * (1 - mean)).sum()) / (categories - 1) if categories > 1 else 1.0
    return PairAgreement(
        n=n,
        raw=raw,
        kappa=(raw - chance) / (1 - chance) if chance < 1 else None,
        ac1=(raw - gwet) / (1 - gwet) if gwet < 1 else None,
        reason=None if chance < 1 else "both always said the same one thing",
    )


def observed_agreement(
    label_UR: npt.ArrayLike,
    *,
    clusters: Names | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, int, Interval | Unknown] | Unknown:
    """Share of agreeing pairs of labels within units, each label counted once; units; bootstrap interval over clusters.

    clusters: as `alpha` takes them.
    Where every unit agrees alike, so that draws cannot differ, Wilson's interval with units as draws.
    """
    count_UC, _ = label_counts(np.asarray(label_UR, dtype=np.float64))
    size_U = count_UC.sum(axis=1)
    names_U, whole = drawn_whole(clusters, size_U >= 2)
    count_UC, size_U = count_UC[size_U >= 2], size_U[size_U >= 2]
    if not size_U.size:
        return Unknown("no item was judged by two people")
    agree_U = (count_UC * (count_UC - 1)).sum(axis=1) / (size_U - 1)
    if size_U.size > 1 and float(np.ptp(_shares(count_UC))) == 0:
        alike = cluster_wilson(_shares(count_UC), names_U, level=level)
        return float(agree_U.sum() / size_U.sum()), int(size_U.size), alike
    interval = cluster_bootstrap(
        np.column_stack([agree_U, size_U]),
        names_U,
        mean_of_sums,
        use="observed agreement",
        level=level,
        resamples=resamples,
        seed=seed,
    )
    if isinstance(interval, Interval):
        interval = ending(replace(interval, method=interval.method.replace(CLUSTERED, whole)), 0.0, 1.0)
    elif size_U.size < 2:
        interval = Unknown("one item says nothing about others")
    return float(agree_U.sum() / size_U.sum()), int(size_U.size), interval
