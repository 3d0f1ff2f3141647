"""Standardised rewards of several objectives -> one number an answer, by each of the three rules.

Each is a function of one answer alone: two answers are compared by what each of them is, so that a reward never depends
on what is scored beside it. Knows arrays; knows no scorer. Letters: A answers, K objectives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from assay.scorers.combined.combination_file import FURTHEST, Combination
from assay.stats.intervals import Array


def together(standard_AK: Array, combination: Combination) -> Array:
    """The combined reward of each answer, (A,), by the combination's own rule. standard_AK: as `objectives` stand."""
    parts = combination.objectives
    if combination.rule == "weights":
        return weighted(standard_AK, [one.weight or 0.0 for one in parts])
    if combination.rule == "lexicographic":
        return ordered(standard_AK, [one.tolerance or 1.0 for one in parts[:-1]])
    lead = [one.name for one in parts].index(combination.maximise or "")
    bounds = [-math.inf if one.bound is None or k == lead else one.bound for k, one in enumerate(parts)]
    return constrained(standard_AK, lead=lead, bounds=bounds, duals=[one.dual or 0.0 for one in parts])


def weighted(standard_AK: Array, weights: Sequence[float]) -> Array:
    """Sum of weight x standardised reward, (A,)."""
    return np.asarray(standard_AK @ np.asarray(weights, dtype=np.float64))


def ordered(standard_AK: Array, tolerances: Sequence[float]) -> Array:
    """The first objective in steps of its tolerance, within a step the second, and so on; the last without steps; (A,).

    Comparing two answers by "within the tolerance" is no order (a = b, b = c and a > c), and would need both of them:
    steps that stand still are one. Two close answers may stand on two sides of a step's edge. In units of the first
    objective; beyond ten standard deviations an answer counts as there.
    """
    held = np.clip(standard_AK, -FURTHEST, FURTHEST)
    # The last objective within 0..1, and never 1: it may not carry an answer over into the next step.
    value = (held[:, -1] + FURTHEST) / (2 * FURTHEST) * (1 - 1e-9)
    for k in reversed(range(len(tolerances))):
        steps = np.floor(held[:, k] / tolerances[k])
        if k == 0:
            return np.asarray(tolerances[0] * (steps + value))
        lowest, count = math.floor(-FURTHEST / tolerances[k]), 2 * math.ceil(FURTHEST / tolerances[k]) + 1
        value = (steps - lowest + value) / count
    return np.asarray(value)


def constrained(standard_AK: Array, *, lead: int, bounds: Sequence[float], duals: Sequence[float]) -> Array:
    """The objective `lead` of answers that reach every bound; any other answer stands below all of them; (A,).

    Among answers that break a bound, the order is by L = lead - sum of dual x what is missing. -FURTHEST - softplus(-L)
    rises with L and stays below -FURTHEST, which is the least that an answer without a break is given.
    """
    missing_AK = np.maximum(np.asarray(bounds)[None, :] - standard_AK, 0.0)
    missing_AK[:, lead] = 0.0
    best = np.clip(standard_AK[:, lead], -FURTHEST, FURTHEST)
    broken = (missing_AK > 0).any(axis=1)
    lagrangian = best - missing_AK @ np.asarray(duals, dtype=np.float64)
    below = -FURTHEST - np.logaddexp(0.0, -lagrangian)
    return np.where(broken, below, best)


def bound_of(threshold: float, *, confidence: float, slope: float) -> float:
    """The standardised reward from which on people find an answer above the threshold with chance `confidence`.

    By the Bradley-Terry model: sigmoid(slope x (bound - threshold)) = confidence.

    >>> round(bound_of(0.5, confidence=0.8, slope=2.0), 3)  # 0.5 + log(4) / 2
    1.193
    """
    return threshold + float(special.logit(confidence)) / slope
