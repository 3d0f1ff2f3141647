"""Each slice against the rest of the pairs: is it truly below, or would luck among so many slices do this?

Holm's rule over all slices scanned: the chance that any slice is named where none is worse than tolerated is 5%. Small
slices get a binomial tail at the effective number of pairs, with the correlation within prompts taken from all pairs,
since seventeen pairs know neither their variance nor a normal tail. Knows values and masks; knows no text.
Shapes: N pairs, M slices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.audits.scores_table import Mask
from assay.stats.intervals import Array, Codes
from assay.stats.multiplicity import holm
from assay.stats.one_sided import FAMILY_ALPHA

TOLERATED = 0.03  # points below the rest that any slicing of honest data shows somewhere
STRENGTH = 0.2  # points below the rest that are said to matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One slice. rest: the accuracy of all other pairs. p: one-sided, before correction; power: chance that STRENGTH
    below the rest is found at the corrected level."""

    n: int
    accuracy: float
    rest: float
    p: float
    power: float


def scan(correct_N: Array, groups_N: Codes, masks: Sequence[Mask]) -> list[Scanned]:
    """Every slice against its complement; correct_N in [0, 1]."""
    correlation = within_groups(correct_N, groups_N)
    total, everything = float(correct_N.sum()), correct_N.size
    level = FAMILY_ALPHA / max(len(masks), 1)
    found = []
    for mask in masks:
        n = int(mask.sum())
        inside = float(correct_N[mask].sum())
        accuracy, rest = inside / n, (total - inside) / (everything - n)
        effective = 1 / (1 / _effective(groups_N[mask], correlation) + 1 / _effective(groups_N[~mask], correlation))
        # What both would be if the slice lay as far below as is tolerated and no further, the pairs of both pooled.
        allowed = (total + TOLERATED * n) / everything - TOLERATED
        expected = min(max(allowed, 0.5 / everything), 1 - 0.5 / everything)
        below = accuracy - (rest - TOLERATED)
        found.append(
            Scanned(
                n=n,
                accuracy=accuracy,
                rest=rest,
                p=lower_tail(below, expected, effective),
                power=_power(rest, effective, level),
            )
        )
    return found


def adjusted(scanned: Sequence[Scanned]) -> Array:
    """Holm's p values of the scan, (M,)."""
    return holm([one.p for one in scanned]) if scanned else np.zeros(0)


def lower_tail(below: float, expected: float, n: float) -> float:
    """Chance of `expected + below` or less in n draws at `expected`, n any real; 1 where `below` is not negative.

    The binomial tail by the incomplete beta function, and the normal one: the larger counts.

    >>> round(lower_tail(-0.5, 0.5, 3), 3)  # none of three at one half: 1/8, the normal tail is smaller
    0.125
    """
    if below >= 0:
        return 1.0
    hits = min(max(n * (expected + below), 0.0), n)
    binomial = float(special.betainc(max(n - hits, 1e-9), hits + 1, 1 - expected))
    normal = float(special.ndtr(below / math.sqrt(expected * (1 - expected) / n)))
    return min(max(binomial, normal), 1.0)


def within_groups(values_N: Array, groups_N: Codes) -> float:
    """Correlation of two pairs under one prompt, by analysis of variance; 0 where it comes out below or is unknown."""
    sizes = np.bincount(groups_N)
    sizes = sizes[sizes > 0]
    n, groups = values_N.size, sizes.size
    if groups < 2 or groups == n:
        return 0.0
    codes = np.unique(groups_N, return_inverse=True)[1].ravel()
    sums = np.bincount(codes, weights=values_N)
    between = float((np.square(sums) / np.bincount(codes)).sum() - values_N.sum() ** 2 / n) / (groups - 1)
    inside = float(np.square(values_N).sum() - (np.square(sums) / np.bincount(codes)).sum()) / (n - groups)
    usual = (n - float(np.square(sizes).sum()) / n) / (groups - 1)
    whole = between + (usual - 1) * inside
    return min(max((between - inside) / whole, 0.0), 1.0) if whole > 0 else 0.0


def _effective(groups_N: Codes, correlation: float) -> float:
    """Independent pairs that say as much: n over 1 + (sum n_g^2 / n - 1) x correlation."""
    sizes = np.bincount(groups_N)
    return groups_N.size / (1 + (float(np.square(sizes).sum()) / groups_N.size - 1) * correlation)


def _power(rest: float, effective: float, level: float) -> float:
    """By the normal approximation, a slice that is STRENGTH below the rest; 0 where it cannot be."""
    bar, there = max(rest - TOLERATED, 0.05), max(rest - STRENGTH, 0.02)
    critical = bar + float(special.ndtri(level)) * math.sqrt(bar * (1 - bar) / effective)
    return float(special.ndtr((critical - there) / math.sqrt(there * (1 - there) / effective)))
