"""How sure a figure is that something is wrong: from a figure and its error to an Alarm. Knows no reward and no pair.

Every figure that can alarm names two sizes: what is still tolerated, against which p is counted, and what would matter,
which says whether silence means anything. Where the interval leaves out the size that matters, silence is an all-clear
however few the pairs; where it does not, the chance of having found it decides between "ok" and "too_few".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from assay.findings.alarm import Alarm, Strength
from assay.stats.intervals import ClusterMean
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

SURE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A figure that must not lie low. tolerated: the least that is no defect; matters: a size that must be found."""

    tolerated: float
    matters: float
    strength: Strength = "warning"


def share_alarm(found: ClusterMean | Unknown, floor: Floor) -> Alarm | None:
    """Of a share in [0, 1] by the score test: the error is that of the tolerated share at the clusters' effective size.

    None where there is no spread to go by: no pairs, or one prompt.
    """
    if isinstance(found, Unknown) or found.variance is None:
        return None
    effective = found.n / found.design_effect if found.design_effect is not None else found.clusters
    at_floor = math.sqrt(floor.tolerated * (1 - floor.tolerated) / effective)
    at_bad = math.sqrt(floor.matters * (1 - floor.matters) / effective)
    p = float(special.stdtr(found.freedom, (found.mean - floor.tolerated) / at_floor))
    # Wilson's interval leaves out a share where the score test rejects it.
    cleared = found.mean - floor.matters > quantile(found.freedom) * at_bad
    return Alarm(p=p, strength=floor.strength, power=1.0 if cleared else _power(floor, at_floor, at_bad))


def mean_alarm(mean: float, error: float, freedom: float, floor: Floor) -> Alarm:
    """Of any figure with a standard error above 0, by Student's t."""
    p = float(special.stdtr(freedom, (mean - floor.tolerated) / error))
    cleared = mean - floor.matters > quantile(freedom) * error
    return Alarm(p=p, strength=floor.strength, power=1.0 if cleared else _power(floor, error, error))


def quantile(freedom: float, level: float = SURE) -> float:
    """Of Student's t, two-sided."""
    return float(special.stdtrit(freedom, 0.5 + level / 2))


def _power(floor: Floor, at_floor: float, at_bad: float) -> float:
    reach = floor.tolerated - float(special.ndtri(1 - FAMILY_ALPHA)) * at_floor
    return float(special.ndtr((reach - floor.matters) / at_bad))
