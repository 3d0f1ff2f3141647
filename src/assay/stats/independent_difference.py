"""The difference of two figures from independent samples, from the interval of each. Knows no pair and no cluster.

Square-and-add, or MOVER: each end of the difference is as far from it as the two intervals' own ends would carry it,
added as independent errors are. What each interval knows (clusters, seeds, a score method near 0 or 1) is kept,
whatever made it. Source: Newcombe 1998, method 10; Zou and Donner 2008.
"""

from __future__ import annotations

import math

from assay.stats.intervals import Interval


def independent_difference(first: float, of_first: Interval, second: float, of_second: Interval) -> Interval:
    """Interval of first - second. Raises ValueError where the two intervals are of different levels.

    >>> one = Interval(low=0.4, high=0.6, level=0.95, method="any")
    >>> found = independent_difference(0.5, one, 0.5, one)  # each end 0.1 away: 0.1 x the root of 2
    >>> round(found.low, 4), round(found.high, 4)
    (-0.1414, 0.1414)
    """
    if of_first.level != of_second.level:
        raise ValueError(f"an interval at {of_first.level:g} beside one at {of_second.level:g}")
    down = math.hypot(first - of_first.low, of_second.high - second)
    up = math.hypot(of_first.high - first, second - of_second.low)
    return Interval(
        low=first - second - down,
        high=first - second + up,
        level=of_first.level,
        method="square-and-add of two independent intervals",
    )
