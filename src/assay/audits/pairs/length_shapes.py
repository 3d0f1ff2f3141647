"""Shapes in which a reward may follow length, and scores that only order makes. Knows lengths; knows no label."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy import stats as scipy_stats

from assay.stats.intervals import Array

KNOTS = (
    -1.0,
    -0.33,
    0.33,
    1.0,
)  # in normal scores of length: the slope may change at the 16th, 37th, 63rd, 84th percentile


def normal_scores(values: Array) -> Array:
    """Each value's place among all of them, as a normal's quantile; equal values share one. The shape is kept.

    Any map that keeps the order keeps the scores: a reward and its sigmoid have the same.

    >>> bool((normal_scores(np.array([3.0, 1.0, 2.0])) == normal_scores(np.exp(np.array([3.0, 1.0, 2.0])))).all())
    True
    """
    ranks = scipy_stats.rankdata(values.ravel())
    return np.asarray(special.ndtri((ranks - 0.5) / ranks.size)).reshape(values.shape)


def length_shapes(length: Array) -> Array:
    """Differences within pairs of a line of length and of that line bent at each knot; (N, 2) -> (N, 1 + knots).

    Lengths stand as normal scores, so that characters, their logarithm and their rank are one thing; the bends follow a
    threshold, a ceiling or an optimum of length. Odd under swapping the answers.
    """
    score = normal_scores(length)
    bent = [score, *(np.maximum(score - knot, 0.0) for knot in KNOTS)]
    return np.column_stack([side[:, 0] - side[:, 1] for side in bent])
