"""Is A right more often than B: overall with interval and tests, and by slice with a correction for how many there are.

The unit that varies is the prompt group; where a side has several seeds, its seeds vary too. Knows scores; writes no
verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from assay.audits.compare.compare_meanings import MEANINGS
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.two_sides import TwoSides
from assay.audits.scores_table import Aligned, Mask
from assay.findings.finding import Finding, measured
from assay.findings.slice import OVERALL, Slice
from assay.stats.intervals import Array, Interval, cluster_difference, cluster_mean, cluster_wilson, ending
from assay.stats.multiplicity import holm
from assay.stats.paired_tests import mcnemar_exact, sign_flip
from assay.stats.power import quantile
from assay.stats.seed_variance import seeds_apart, with_seeds
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Right by A less right by B over some pairs.

    p: of the sign-flip test over prompt groups. a_only, b_only: pairs on which more of A's seeds are right, and of B's.
    pair_variance: of one pair's share in the mean, clusters allowed for; None with one group. seed_variance: of the
    mean, by what other seeds of the same recipes would have given; 0 where no side has several.
    """

    mean: float
    n: int
    groups: int
    interval: Interval | Unknown
    p: float
    a_only: int
    b_only: int
    pair_variance: float | None
    seed_variance: float

    @property
    def mcnemar(self) -> float:
        return mcnemar_exact(self.a_only, self.b_only)


def difference(sides: TwoSides, mask: Mask, config: CompareConfig) -> Difference:
    """The difference over the pairs of `mask`, (N,)."""
    first, second, groups = sides.right_a[mask], sides.right_b[mask], sides.a.groups[mask]
    apart = first - second
    found = cluster_mean(apart, groups)
    assert not isinstance(found, Unknown)  # a slice holds pairs, and shares of seeds are finite
    seeds, freedom = seeds_apart([side.correct[:, mask].mean(axis=1) for side in (sides.a, sides.b)])
    interval = cluster_difference(first, second, groups, level=config.level)
    if isinstance(interval, Interval) and found.variance is not None and seeds > 0:
        varied = with_seeds(interval, found.mean, found.variance, seeds, freedom=freedom)
        interval = ending(varied, -1.0, 1.0)
    sums_G = np.bincount(groups, weights=apart)
    return Difference(
        mean=found.mean,
        n=found.n,
        groups=found.clusters,
        interval=interval,
        p=sign_flip(sums_G, seed=config.seed),
        a_only=int((apart > 0).sum()),
        b_only=int((apart < 0).sum()),
        pair_variance=None if found.variance is None else found.variance * found.n,
        seed_variance=seeds,
    )


def difference_findings(sides: TwoSides, config: CompareConfig) -> tuple[Difference, list[Finding]]:
    """The overall difference, and findings: both accuracies, the difference, and the difference of each slice."""
    every = np.ones(sides.n, dtype=bool)
    overall = difference(sides, every, config)
    found = [
        accuracy("accuracy_of_a", sides.a, sides.right_a, config),
        accuracy("accuracy_of_b", sides.b, sides.right_b, config),
        finding(OVERALL, overall, {}),
    ]
    parts = [(where, difference(sides, mask, config)) for where, mask in sides.slices(config.smallest_slice)]
    return overall, found + sliced(parts)


def sliced(parts: Sequence[tuple[Slice, Difference]]) -> list[Finding]:
    """A finding a slice, its p value adjusted over all of them by Holm: one of 58 below .05 is not news."""
    adjusted = holm([part.p for _, part in parts]) if parts else ()
    return [
        finding(where, part, {"p_of_slices": float(p), "slices": len(parts)})
        for (where, part), p in zip(parts, adjusted, strict=True)
    ]


def finding(where: Slice, found: Difference, more: dict[str, object]) -> Finding:
    detail = {
        "p": found.p, "mcnemar_p": found.mcnemar, "a_only": found.a_only, "b_only": found.b_only,
        "groups": found.groups, **more,
    }  # fmt: skip
    meaning = MEANINGS["accuracy_difference"]
    return measured(meaning, found.mean, n=found.n, interval=found.interval, slice=where, detail=detail)


def accuracy(name: str, side: Aligned, right: Array, config: CompareConfig) -> Finding:
    detail = {
        "per_seed": [float(one) for one in side.correct.mean(axis=1)],
        "ties": float((side.finite & (side.margin == 0)).mean()),
    }
    interval = cluster_wilson(right, side.groups, level=config.level)
    return measured(MEANINGS[name], float(right.mean()), n=side.n, interval=interval, detail=detail)


def smallest_seen(found: Difference, level: float) -> float | None:
    """The true difference that so many pairs would show in 80% of comparisons, either way; None where unknown."""
    if found.pair_variance is None:
        return None
    error = math.sqrt(found.pair_variance / found.n + found.seed_variance)
    if not error:  # nowhere is one right and the other wrong: no variance was seen, and a reach of 0 is none
        return None
    reach = quantile(found.n, found.groups / found.n, level) + float(scipy_stats.norm.ppf(0.8))
    return reach * error
