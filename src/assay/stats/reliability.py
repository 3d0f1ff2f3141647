"""Whether stated probabilities come true. Knows probabilities and outcomes; knows no reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import Array, Interval, Names, cluster_wilson
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Events whose stated probability lies in [low, high): how many, the mean stated, the share that came true."""

    low: float
    high: float
    n: int
    stated: float | None
    observed: float | None
    interval: Interval | Unknown


def reliability(
    stated_N: npt.ArrayLike,
    outcome_N: npt.ArrayLike,
    clusters: Names,
    *,
    edges: Sequence[float],
    level: float = 0.95,
) -> list[ReliabilityBin]:
    """One bin per gap between `edges`; the last one holds its upper edge too."""
    stated, outcome = np.asarray(stated_N, dtype=np.float64), np.asarray(outcome_N, dtype=np.float64)
    names, place = np.asarray(clusters), bin_of(stated, edges)
    found = []
    for index, (low, high) in enumerate(pairwise(edges)):
        inside = place == index
        n = int(inside.sum())
        found.append(
            ReliabilityBin(
                low=low,
                high=high,
                n=n,
                stated=float(stated[inside].mean()) if n else None,
                observed=float(outcome[inside].mean()) if n else None,
                interval=cluster_wilson(outcome[inside], names[inside], level=level),
            )
        )
    return found


def expected_calibration_error(stated_N: npt.ArrayLike, outcome_N: npt.ArrayLike, *, edges: Sequence[float]) -> float:
    """Mean over events of |stated - observed| of their bin, in [0, 1]. Source: Naeini et al. 2015.

    Biased upwards in small samples: even perfect probabilities do not come true exactly in every bin. What is judged is
    `calibration_error`, which takes that off.

    >>> expected_calibration_error([0.75] * 4, [1, 1, 1, 0], edges=[0.5, 1.0])
    0.0
    """
    sums = _bin_sums(np.asarray(stated_N, dtype=np.float64), np.asarray(outcome_N, dtype=np.float64), edges)
    return float(_error_of(sums.sum(axis=0, keepdims=True))[0])


def bin_of(stated_N: Array, edges: Sequence[float]) -> npt.NDArray[np.intp]:
    """Index of each value's bin; values outside the edges go to the nearest bin."""
    return np.clip(np.searchsorted(np.asarray(edges), stated_N, side="right") - 1, 0, len(edges) - 2)


def _bin_sums(stated_N: Array, outcome_N: Array, edges: Sequence[float]) -> Array:
    """Per event: (stated - outcome) in its bin's column, then a one for the count; (N, bins + 1)."""
    sums = np.zeros((stated_N.size, len(edges)))
    # A bin's sum is n (mean stated - mean observed): its absolute value already counts as often as the bin has events,
    # so the error is a function of sums and can be drawn again by weights.
    sums[np.arange(stated_N.size), bin_of(stated_N, edges)] = stated_N - outcome_N
    sums[:, -1] = 1.0
    return sums


def _error_of(sums_RK: Array) -> Array:
    return np.asarray(np.abs(sums_RK[:, :-1]).sum(axis=1) / sums_RK[:, -1])
