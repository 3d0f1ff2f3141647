"""Many tests at once: p values adjusted, so that each may be held against the level as if it were the only one.

Holm holds the chance of any false alarm, Benjamini-Hochberg the share of false alarms among the alarms.
Shapes: M tests. Knows p values; knows no test.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import Array


def holm(p_M: npt.ArrayLike, weights_M: npt.ArrayLike | None = None) -> Array:
    """Adjusted p values in the order given, (M,): holds however the tests depend on each other. Source: Holm 1979.

    weights: shares of the error rate, above 0, in any unit and set before the data are seen; by default all alike.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()  # 3 x 0.01, then 2 x 0.03, then no less than that
    [0.03, 0.06, 0.06]
    >>> holm([0.01, 0.04, 0.03], [1, 1, 3]).round(6).tolist()  # 5/1 x 0.01, then no less; the third at 5/3 x 0.03
    [0.05, 0.05, 0.05]
    """
    p = _checked(p_M)
    weights = np.ones(p.size) if weights_M is None else np.asarray(weights_M, dtype=np.float64)
    if weights.shape != p.shape or not (weights > 0).all():
        raise ValueError("weights are one number above 0 for each p value")
    order = np.argsort(p / weights, kind="stable")
    left = np.cumsum(weights[order][::-1])[::-1]  # what the tests that are still to be looked at weigh together
    # No adjusted value may lie below that of a smaller p: a test is only looked at while all before it were alarms.
    return _in_place(np.maximum.accumulate(p[order] / weights[order] * left), order)


def benjamini_hochberg(p_M: npt.ArrayLike) -> Array:
    """Adjusted p values in the order given, (M,), for independent or positively dependent tests.

    Source: Benjamini & Hochberg 1995.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()  # 3/1 x 0.01; 3/2 x 0.03, but no more than 3/3 x 0.04
    [0.03, 0.04, 0.04]
    """
    p = _checked(p_M)
    order = np.argsort(p, kind="stable")
    # Here from the largest down: one alarm makes alarms of all smaller p, so none is raised above those after it.
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    return _in_place(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _checked(p_M: npt.ArrayLike) -> Array:
    p = np.asarray(p_M, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():  # NaN fails the comparison too
        raise ValueError("p values are one row of numbers between 0 and 1")
    return p


def _in_place(adjusted: Array, order: npt.NDArray[np.intp]) -> Array:
    found = np.empty_like(adjusted)
    found[order] = np.minimum(adjusted, 1.0)
    return found
