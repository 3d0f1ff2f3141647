"""How far stated probabilities are from what comes true, with the luck of small samples taken off.

The plain error (Naeini et al. 2015) is biased upwards: in bins of fifty, perfect probabilities miss by 5 points. Here
the squared distance of each bin is lowered by what luck alone would put there, and the test and the interval hold for
it.
Knows probabilities and outcomes; knows no reward. Shapes: N events, B bins, G clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from assay.stats.intervals import Array, Interval, Names, cluster_codes
from assay.stats.unknown import Unknown

BINS, LEAST = 10, 25  # bins of equally many events; fewer of them where they would hold under 25 events
METHOD = "noncentral chi-squared of the debiased error, clustered by prompt group"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationError:
    """The binned error of N events and what is known of it.

    squared: sum over bins of share x (stated - came true)^2, as seen; luck: how much of it mere luck would make;
    scale, freedom: of the scaled chi-squared that `squared` follows where the probabilities are true. resolution: share
    x (came true - 1/2)^2, luck taken off: how far the bins are from a coin.
    """

    squared: float
    luck: float
    scale: float
    freedom: float
    resolution: float
    bins: int

    @property
    def error(self) -> float:
        """Root mean square distance without luck, in [0, 1]; 0 where luck alone would make as much."""
        return math.sqrt(max(self.squared - self.luck, 0.0))

    def chance_above(self, true_error: float) -> float:
        """Chance of an error at least as large as seen, were it truly `true_error`."""
        return min(max(1 - self._below(true_error**2), 0.0), 1.0)

    def interval(self, level: float = 0.95) -> Interval:
        """Of the true error: all values at which what was seen would be no surprise at this level, either side.

        Where less was seen than luck makes, no error would be likely enough, and the upper end would be 0: it is held
        against what no error at all would show (CLs, Read 2002), which changes nothing for errors well above 0.
        """
        tail = (1 - level) / 2
        low, high = self._true_at(1 - tail), self._true_at(tail * self._below(0.0))
        return Interval(low=low, high=high, level=level, method=METHOD)

    def _below(self, square: float) -> float:
        seen = self.squared / self.scale
        if square == 0:
            return float(special.chdtr(self.freedom, seen))
        return float(special.chndtr(seen, self.freedom, square / self.scale))

    def _true_at(self, share: float) -> float:
        """The true error under which `share` of all samples would show less than was seen; 0 where none is."""
        if self._below(0.0) <= share:
            return 0.0
        most = 4 * self.squared + 16 * self.luck
        while most < 1 and self._below(most) >= share:
            most *= 2
        if most >= 1 and self._below(1.0) >= share:
            return 1.0
        most = min(most, 1.0)
        return math.sqrt(float(optimize.brentq(lambda square: self._below(square) - share, 0.0, most, xtol=1e-8)))


def calibration_error(stated_N: npt.ArrayLike, outcome_N: npt.ArrayLike, clusters: Names) -> CalibrationError | Unknown:
    """Compare stated probabilities with outcomes in bins of equally many events; events of one cluster go together.

    Sources: Kumar, Liang & Ma 2019 and Broecker 2012 for the debiasing. Luck is the trace of the bins' clustered
    covariance; the sum of squares is taken as a scaled chi-squared of the same mean and variance (Satterthwaite).

    >>> found = calibration_error([0.75] * 80, [1, 1, 1, 0] * 20, list(range(80)))
    >>> found.error, found.bins
    (0.0, 3)
    """
    stated, outcome = np.asarray(stated_N, dtype=np.float64), np.asarray(outcome_N, dtype=np.float64)
    n, codes = stated.size, cluster_codes(clusters)
    groups = int(codes.max()) + 1 if n else 0
    if n < 2 * LEAST or groups < 10:
        return Unknown(f"{n} pairs of {groups} prompts are too few to see how often stated chances come true")
    bins = int(np.clip(n // LEAST, 2, BINS))
    # By rank, so that equal statements may be torn apart but every bin has its share of the events.
    place = np.empty(n, dtype=np.intp)
    place[np.argsort(stated, kind="stable")] = np.arange(n) * bins // n
    size = np.bincount(place, minlength=bins).astype(np.float64)
    share = size / n
    seen = np.bincount(place, weights=outcome, minlength=bins) / size
    told = np.bincount(place, weights=stated, minlength=bins) / size
    away = told - seen
    covariance = _covariance(stated - outcome - away[place], place, codes, size)
    # Where (nearly) all came true the spread seen is (nearly) none: half an event more of either kind.
    smooth = (seen * size + 0.5) / (size + 1)
    floor = smooth * (1 - smooth) / size
    covariance[np.diag_indices(bins)] = np.maximum(np.diag(covariance), floor)
    root = np.sqrt(share)
    weighted = covariance * (root[:, None] * root)
    trace, square = float(np.trace(weighted)), float(np.square(weighted).sum())
    return CalibrationError(
        squared=float((share * away**2).sum()),
        luck=trace,
        scale=square / trace,
        freedom=trace**2 / square,
        resolution=max(float((share * (seen - 0.5) ** 2).sum()) - trace, 0.0),
        bins=bins,
    )


def _covariance(residual_N: Array, place: npt.NDArray[np.intp], codes: npt.NDArray[np.intp], size_B: Array) -> Array:
    """Clustered covariance of the bins' mean residuals, (B, B)."""
    bins, groups = size_B.size, int(codes.max()) + 1
    sums = np.bincount(codes * bins + place, weights=residual_N / size_B[place], minlength=groups * bins)
    sums_GB = sums.reshape(groups, bins)
    return np.asarray(sums_GB.T @ sums_GB * groups / (groups - 1))
