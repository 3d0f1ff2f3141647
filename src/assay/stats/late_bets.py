"""Evidence that something became false at a time nobody knows, looked at as often as one likes, in a few numbers.

Somebody bets against the hypothesis, observation by observation, at odds that are fair while it holds. What a stake of
1 has become is then a test martingale, and by Ville's inequality it ever reaches 1/a with probability a at most: the
rate of false alarms is that of the whole stream, not of one look. A share of the stake is kept back for each possible
start, since what has been lost while all was well would else have to be won back first. Knows numbers; knows no reward.

Source: Ville 1939; Waudby-Smith & Ramdas 2020 (2010.09686) for means of bounded values; shares of the stake kept for
late starts as in Shiryaev's and Roberts's statistics. Letters: B bets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from assay.stats.intervals import Array

OF_LIMIT = (0.02, 0.1, 0.3, 0.6)  # of the largest bet that cannot ruin: small ones for small excesses, which are slow


class LateBets:
    """The wealth of B bets, each begun anew at every observation with a share of the stake. evidence: their mean."""

    def __init__(self, bets: int) -> None:
        self.wealth_B, self.count = np.zeros(bets), 0

    def add(self, factors_B: Sequence[float] | Array) -> float:
        """The evidence after one more observation, by which each bet is multiplied by its factor.

        Factors are at least 0, and their expectation at most 1 where the hypothesis holds.

        >>> bets = LateBets(1)
        >>> [round(bets.add([2.0]), 3) for _ in range(3)]  # begun with 0.41 of the stake, then with 0.11, then 0.06
        [1.409, 2.342, 4.265]
        """
        begun = kept_back(self.count) - kept_back(self.count + 1)
        self.count += 1
        self.wealth_B = np.asarray(factors_B) * (self.wealth_B + begun)
        return self.evidence

    @property
    def evidence(self) -> float:
        return float(self.wealth_B.mean()) + kept_back(self.count)


def kept_back(count: int) -> float:
    """The share of the stake for starts after `count` observations: it falls so slowly that a start after 100,000
    costs no more than a factor of 1.6e7 (with 1 / count it would be 1e10)."""
    return 1 / (1 + math.log1p(count))


class MeanOverLimit:
    """Evidence that the mean of values in [0, 1] is over a limit: that of each, given those before it."""

    def __init__(self, limit: float) -> None:
        if not 0 < limit < 1:
            raise ValueError(f"a limit of {limit}: between 0 and 1 there is something to find")
        self.limit, self.bets = limit, LateBets(len(OF_LIMIT))
        self._sizes_B = np.array(OF_LIMIT) / limit

    def add(self, value: float) -> float:
        """The evidence after one more value.

        >>> rule = MeanOverLimit(0.1)
        >>> found = [rule.add(1.0 if place % 2 else 0.0) for place in range(60)]
        >>> found[0] < 1, found[-1] > 1e6
        (True, True)
        """
        return self.bets.add(1 + self._sizes_B * (value - self.limit))
