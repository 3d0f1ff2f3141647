"""How the values of a stream are distributed, in a memory that is set beforehand: exact count, mean, spread and ends, a
random sample for quantiles, and the last values whole. Knows values; knows no reward.

Source of the sample: Vitter 1985 (algorithm R); of its error: Dvoretzky, Kiefer & Wolfowitz with Massart's constant; of
the moments: Chan, Golub & LeVeque 1983.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import Array

ERROR_LEVEL = 0.99  # with which no quantile of the sample is off by more than `rank_error`


class RunningValues:
    """A stream of finite values. sample: most values that are kept of all; recent: of the last."""

    def __init__(self, rng: np.random.Generator, *, sample: int, recent: int) -> None:
        self.rng = rng
        self.count, self.mean, self.low, self.high = 0, 0.0, math.inf, -math.inf
        self._squares = 0.0  # of differences to the mean
        self._sample, self._recent = np.empty(sample), np.empty(recent)

    def add(self, values_N: npt.ArrayLike) -> None:
        """Take more values, in their order.

        >>> stream = RunningValues(np.random.default_rng(0), sample=100, recent=2)
        >>> stream.add([1.0, 2.0]); stream.add([6.0])
        >>> stream.count, stream.mean, round(stream.sd, 3), stream.recent.tolist(), stream.quantiles([0.5])
        (3, 3.0, 2.646, [2.0, 6.0], [2.0])
        """
        values = np.asarray(values_N, dtype=np.float64)
        if not values.size:
            return
        self._keep(values)
        size = len(self._recent)
        last = values[-size:]
        self._recent[(self.count + np.arange(len(values) - len(last), len(values))) % size] = last
        total, apart = self.count + len(values), float(values.mean()) - self.mean
        self._squares += float(np.square(values - values.mean()).sum()) + apart**2 * self.count * len(values) / total
        self.mean += apart * len(values) / total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.count = total

    @property
    def sd(self) -> float:
        """Of the sample kind (n - 1); NaN below two values."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else math.nan

    @property
    def sample(self) -> Array:
        """A uniform sample of all values without repeats; all of them, as long as they are few enough."""
        return self._sample[: min(self.count, len(self._sample))]

    @property
    def recent(self) -> Array:
        """The last values, oldest first."""
        size = len(self._recent)
        if self.count <= size:
            return self._recent[: self.count].copy()
        return np.roll(self._recent, -(self.count % size))

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        """Of the sample, by linear interpolation as numpy's; of no value none."""
        return [float(one) for one in np.quantile(self.sample, levels)] if self.count else []

    @property
    def rank_error(self) -> float:
        """What a share of the values below any value may be off by in the sample, at ERROR_LEVEL; 0 while it is all.

        >>> stream = RunningValues(np.random.default_rng(0), sample=1000, recent=1)
        >>> stream.add(np.arange(1000)); before = stream.rank_error; stream.add([5.0])
        >>> before, round(stream.rank_error, 4)
        (0.0, 0.0515)
        """
        size = len(self._sample)
        return 0.0 if self.count <= size else math.sqrt(math.log(2 / (1 - ERROR_LEVEL)) / (2 * size))

    def _keep(self, values: Array) -> None:
        size = len(self._sample)
        room = max(0, min(size - self.count, len(values)))
        self._sample[self.count : self.count + room] = values[:room]
        rest = values[room:]
        if rest.size:
            # The n-th value takes a place of the sample with probability size / n: a place drawn among n, if there is
            # one of that number. Of two that draw one place the later stays, as numpy assigns.
            drawn = self.rng.integers(0, self.count + room + 1 + np.arange(rest.size))
            taken = drawn < size
            self._sample[drawn[taken]] = rest[taken]
