"""Whether a stream of values still is what it was: each value's rank among all before it, and bets on these ranks.

While the values are exchangeable (in any order alike), the ranks, with ties broken at random, are independent and even
whatever the values' distribution: bets on ranks that are mostly high, mostly low, mostly at the ends or mostly in the
middle are a test martingale (`late_bets`), so that the rate of false alarms is that of the whole stream. To rank a
value among all before it takes one count a bin and no value: the bins are made of the first values, which are then left
out, so that what is in a bin is tied and no rank is any less exact. Knows values; knows no reward.

Source: Vovk, Nouretdinov & Gammerman 2003 and Vovk 2021 (conformal test martingales). Letters: B bets.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from assay.stats.intervals import Array
from assay.stats.late_bets import LateBets

BINS_FROM = 256  # values that the bins are made of
SHIFTS = (-1.8, -1.0, -0.4, 0.4, 1.0, 1.8)  # of 2, at which one rank could ruin a bet
SPREADS = (-0.9, -0.4, 0.6, 1.6)  # of -1 to 2
FAR = 0.2  # of the mean rank from one half
Direction = Literal["higher", "lower", "wider", "narrower"]
DIRECTIONS: tuple[Direction, ...] = (
    "lower", "lower", "lower", "higher", "higher", "higher", "narrower", "narrower", "wider", "wider",
)  # fmt: skip


class RankDrift:
    """A stream and the evidence that it changed. rng breaks ties, and nothing else."""

    def __init__(self, rng: np.random.Generator, *, bins_from: int = BINS_FROM) -> None:
        self.rng, self.bins_from = rng, bins_from
        self.bets = LateBets(len(DIRECTIONS))
        self._first: list[float] = []
        self._edges: Array | None = None
        self._counts = np.zeros(0, dtype=np.int64)
        self._of_late = 0.5  # mean rank, the last 20 or so counting most

    @property
    def count(self) -> int:
        """Values that were ranked."""
        return self.bets.count

    @property
    def evidence(self) -> float:
        return self.bets.evidence

    @property
    def direction(self) -> Direction:
        """What the bet that won most was on; higher or lower in any case where ranks of late are far to one side: those
        are at an end as well."""
        if abs(self._of_late - 0.5) > FAR:
            return "higher" if self._of_late > 0.5 else "lower"
        return DIRECTIONS[int(self.bets.wealth_B.argmax())]

    def add(self, value: float) -> float:
        """The evidence after one more value.

        >>> rng = np.random.default_rng(0)
        >>> stream = RankDrift(rng)
        >>> quiet = max(stream.add(one) for one in rng.normal(size=2000))
        >>> moved = max(stream.add(one) for one in rng.normal(1, 1, size=200))
        >>> quiet < 10, moved > 1e4, stream.direction
        (True, True, 'higher')
        """
        if self._edges is None:
            self._first.append(value)
            if len(self._first) == self.bins_from:
                self._make_bins()
            return self.evidence
        rank = self._rank(value)
        self._of_late += 0.05 * (rank - self._of_late)
        return self.bets.add(factors(rank))

    def _make_bins(self) -> None:
        first = np.unique(self._first)
        # A bin for each of the values alone as well: rules give the same few rewards again and again.
        self._edges = np.unique(np.concatenate([first, np.nextafter(first, -np.inf)]))
        self._counts = np.zeros(len(self._edges) + 1, dtype=np.int64)
        self._first = []

    def _rank(self, value: float) -> float:
        """The share of the values so far, this one with them, that are below it, in (0, 1); ties at random."""
        assert self._edges is not None
        place = int(np.searchsorted(self._edges, value, side="left"))
        self._counts[place] += 1
        below, tied = int(self._counts[:place].sum()), int(self._counts[place])
        return (below + float(self.rng.random()) * tied) / (self.bets.count + 1)


def factors(rank: float) -> Array:
    """What each bet is multiplied by, (B,): shifted Legendre polynomials of first and second degree, whose mean over
    even ranks is 0.

    >>> float(np.mean([factors((place + 0.5) / 1000) for place in range(1000)], axis=0).round(3).max())
    1.0
    """
    ends = 6 * rank * (rank - 1) + 1
    return np.array([*(1 + size * (rank - 0.5) for size in SHIFTS), *(1 + size * ends for size in SPREADS)])
