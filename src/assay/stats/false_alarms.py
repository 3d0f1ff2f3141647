"""The least threshold that held-out values exceed no oftener than a stated rate, with clusters as the unit that varies.

Answers to one prompt are alike, and a quantile of all answers would promise too much: what is held is the mean over
prompt groups of the share above, of a group not seen before. That is conformal risk control with this share as the
loss, and its promise holds for any distribution and any number of groups. Knows values and clusters only.

Source: Angelopoulos et al. 2022 (2208.02814); with one value a group it is the conformal quantile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import Array, cluster_codes
from assay.stats.unknown import Unknown


def least_groups(rate: float) -> int:
    """Groups below which no threshold keeps the rate, whatever their values are."""
    return math.ceil(1 / rate - 1e-9) - 1


def alarm_threshold(values_N: npt.ArrayLike, clusters: Sequence[str] | Array, *, rate: float) -> float | Unknown:
    """The least value t with which a new group has, in expectation, at most `rate` of its values above t.

    >>> alarm_threshold([1.0, 2.0, 3.0, 4.0], ["a", "b", "c", "d"], rate=0.4)  # (share above 3 + 1) / (4 + 1) = 0.4
    3.0
    >>> alarm_threshold([1.0, 2.0], ["a", "b"], rate=0.05).reason
    '2 prompt groups held out; a rate of 5% takes 19'
    """
    values = np.asarray(values_N, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("values that are not finite have no order")
    codes = cluster_codes(clusters)
    groups = int(codes.max()) + 1 if codes.size else 0
    # The group to come counts as if all of it were above: that is what makes the promise hold for few groups.
    allowed = rate * (groups + 1) - 1
    if allowed < -1e-9:
        return Unknown(f"{groups} prompt groups held out; a rate of {100 * rate:g}% takes {least_groups(rate)}")
    weight = 1 / np.bincount(codes)[codes]
    distinct, place = np.unique(values, return_inverse=True)
    # Weight strictly above each distinct value: a value on the threshold is no alarm.
    at = np.bincount(place, weights=weight)
    above = np.append(np.cumsum(at[::-1])[::-1][1:], 0.0)
    return float(distinct[int(np.argmax(above <= allowed + 1e-9))])
