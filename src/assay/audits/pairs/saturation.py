"""Pairs whose two rewards can no longer be told apart although they need not be equal. Knows rewards; knows no label.

Wide margins are no saturation: a reward may be as sure as it likes. It is saturated where the number it came out as has
no room left: both answers at one end of a bounded range (a sigmoid's 0 or 1, a clipped reward's limit), or so close
together that float32 has no step between them.
"""

from __future__ import annotations

import numpy as np

from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned, Mask
from assay.findings.finding import Finding, Judgement, measured
from assay.stats.intervals import Array, cluster_wilson

STEPS = 2  # of float32, by which rewards may differ through the order of a sum alone
AT_AN_END = 1e-3  # of a probability
COARSE = 20  # values, up to which rewards are grades and ties are ties
NOTABLE, MOST = 0.05, 0.5  # shares of the pairs


def saturation(aligned: Aligned, *, level: float) -> Finding:
    """Counted, not estimated: the verdict is about these pairs."""
    flat = np.array([told_apart(*sides) for sides in zip(aligned.chosen, aligned.rejected, strict=True)]) == 0
    by_seed = flat.mean(axis=1)
    share = float(by_seed.mean())
    verdict: Judgement = "problem" if share > MOST else "warning" if share > NOTABLE else "ok"
    every = np.concatenate([aligned.chosen[aligned.finite], aligned.rejected[aligned.finite]])
    detail = {
        "per_seed": {str(seed): float(value) for seed, value in zip(aligned.seeds, by_seed, strict=True)},
        "between_0_and_1": bool(every.size and every.min() >= 0 and every.max() <= 1),
        "step_of_float32": float(float32_step(np.abs(every).max())) if every.size else None,
    }
    interval = cluster_wilson(flat.mean(axis=0), aligned.groups, level=level)
    return measured(MEANINGS["saturation"], share, n=aligned.n, interval=interval, verdict=verdict, detail=detail)


def told_apart(chosen_N: Array, rejected_N: Array) -> Mask:
    """Whether each pair's rewards have room between them; True where one is not finite, or where they simply tie."""
    both = np.column_stack([chosen_N, rejected_N])
    finite = np.isfinite(both).all(axis=1)
    values = both[finite]
    found = np.ones(len(both), dtype=bool)
    if not values.size or np.unique(values).size <= COARSE:
        return found
    low, high = float(values.min()), float(values.max())
    margin = np.abs(values[:, 0] - values[:, 1])
    step = float32_step(np.abs(values).max(axis=1))
    together = (margin > 0) & (margin <= STEPS * step)
    # A tie far from both ends is a tie and counted as such; at an end it is where the range gave out.
    room = AT_AN_END if low >= 0 and high <= 1 else 0.0
    if room:
        low, high = 0.0, 1.0
    at_one_end = (values >= high - room).all(axis=1) | (values <= low + room).all(axis=1)
    found[finite] = ~(together | at_one_end)
    return found


def float32_step(size: Array) -> Array:
    """Distance from a reward of this size to the next one that float32 has."""
    return np.asarray(np.spacing(np.minimum(size, np.finfo(np.float32).max / 2).astype(np.float32)), dtype=np.float64)
