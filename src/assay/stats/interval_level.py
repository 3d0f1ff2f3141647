"""An interval at another level than the one it was made at, from its bounds alone. Knows no data."""

from __future__ import annotations

import math
from dataclasses import replace

from scipy import special

from assay.stats.intervals import Interval

SAME = 1e-6  # how far two readings of one squared error may part, relative


def at_level(interval: Interval, value: float, *, level: float, freedom: float = math.inf) -> Interval:
    """The interval of `value` at `level`.

    freedom: degrees of freedom of its Student's t. A score interval (Wilson's) is turned back into the squared error
    that made it, (value - bound)^2 = s bound (1 - bound) at both bounds, and made anew: exact. Of any other each bound
    moves away from the value as the quantile does: exact for t, near for those made otherwise.

    >>> from assay.stats.intervals import wilson
    >>> narrow, wide = wilson(80, 100), wilson(80, 100, level=0.99)
    >>> found = at_level(narrow, 0.8, level=0.99)
    >>> math.isclose(found.low, wide.low), math.isclose(found.high, wide.high)
    (True, True)
    """
    if not 0 < level < 1:
        raise ValueError(f"a level of {level}")
    ratio = _quantile(level, freedom) / _quantile(interval.level, freedom)
    square = _score_square(interval, value)
    if square is None:
        low = value - (value - interval.low) * ratio
        high = value + (interval.high - value) * ratio
    else:
        square *= ratio**2
        centre = (value + square / 2) / (1 + square)
        half = math.sqrt(square * value * (1 - value) + square**2 / 4) / (1 + square)
        low = 0.0 if value == 0 else centre - half
        high = 1.0 if value == 1 else centre + half
    return replace(interval, low=low, high=high, level=level)


def _score_square(interval: Interval, value: float) -> float | None:
    """The squared error of a score interval, or None where these bounds are of no such interval."""
    read = [(value - bound) ** 2 / (bound * (1 - bound)) for bound in (interval.low, interval.high) if 0 < bound < 1]
    if value in (0, 1) and len(read) == 1:  # all wrong or all right: Wilson's other bound is the value itself
        return read[0]
    if len(read) == 2 and math.isclose(read[0], read[1], rel_tol=SAME) and read[0] > 0:
        return read[0]
    return None


def _quantile(level: float, freedom: float) -> float:
    tail = 0.5 + level / 2
    return float(special.ndtri(tail) if math.isinf(freedom) else special.stdtrit(freedom, tail))
