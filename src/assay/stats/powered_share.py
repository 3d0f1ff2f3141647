"""The share right among items on which people decide, helped by a judge of all items: a ratio, prediction-powered.

People may find an item undecided, and such an item is neither right nor wrong. Leaving those out before the judge helps
would be wrong: the judge labels undecided items too, and its mean over everything would be set beside its mean over
decided ones. So undecided items stay in, at the share itself, where they pull nothing: theta is the fixed point of
theta = powered mean of (label where decided, theta where not), and since the pulls are then divided by all labelled
items and not by the decided ones, the interval is widened by the share decided (linearisation of a ratio).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Array, Interval, Names, cluster_wilson
from assay.stats.prediction_powered import FEWEST, PoweredMean, powered_mean
from assay.stats.unknown import Unknown

STEPS, NEAR = 100, 1e-6  # far below what a share is told to


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredShare:
    """share, interval: by people and judge; alone: by people. decided: labelled items that are right or wrong.

    The rest as in PoweredMean, of which it is made; left_out: why the judge was, where it was.
    """

    share: float
    interval: Interval
    alone_share: float
    alone: Interval
    decided: int
    labelled: int
    items: int
    weight: float
    worth: float
    agreement: float | None
    left_out: str


def powered_share(
    label_N: npt.ArrayLike,
    decided_N: npt.ArrayLike,
    judge_N: npt.ArrayLike,
    clusters: Names,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PoweredShare | Unknown:
    """E[label | decided] over all items, from the people's labels of some drawn at random and the judge's of all.

    label_N: 1 right, 0 wrong (or between, of several seeds); NaN where nobody was asked. decided_N: whether people
    decided; what stands in label_N of an item that was asked and left undecided is not read. judge_N: in [0, 1], NaN
    where it said nothing. clusters: the prompt group of each item. People alone have Wilson's interval, clustered, as
    held-out accuracy has. Unknown where nothing was decided, or within one prompt group only.

    >>> asked, decided = np.arange(6) < 4, np.array([True, True, True, False, False, False])
    >>> found = powered_share(np.where(asked, [1, 1, 0, 0, 0, 0], np.nan), decided, [1, 1, 0, 0, 1, 1], np.arange(6))
    >>> round(found.share, 3), found.decided, found.labelled  # two of three decided; so few that the judge is left out
    (0.667, 3, 4)
    """
    label, judge = np.asarray(label_N, dtype=np.float64), np.asarray(judge_N, dtype=np.float64)
    asked, decided = np.isfinite(label), np.asarray(decided_N, dtype=np.bool_)
    sure = asked & decided
    if not asked.any():
        return Unknown("nobody labelled any of the items")
    if not sure.any():
        return Unknown("people decided on none of the items they labelled")
    names = np.asarray(clusters)
    alone = cluster_wilson(label[sure], names[sure], level=level)
    if isinstance(alone, Unknown):
        return alone
    alone_share = float(label[sure].mean())
    mean = PoweredShare(
        share=alone_share, interval=alone, alone_share=alone_share, alone=alone, decided=int(sure.sum()),
        labelled=int(asked.sum()), items=label.size, weight=0.0, worth=1.0, agreement=_agreement(label, judge, sure),
        left_out="",
    )  # fmt: skip
    # What a judge is worth is read off decided items: undecided ones count among the labelled of powered_mean, which
    # would otherwise take forty decided items for the fifty that it asks for.
    prompts = np.unique(names[sure]).size
    if prompts < FEWEST:
        why = f"people decided on items of {prompts} prompts; below {FEWEST} what they say of the judge is too rough"
        return replace(mean, left_out=why)
    found = _fixed_point(label, sure, asked, judge, names, level=level, seed=seed)
    if isinstance(found, Unknown):
        return found
    if found.left_out:
        return replace(mean, left_out=found.left_out)
    interval = _widened(found, 1 / float(decided[asked].mean()))
    return replace(mean, share=found.mean, interval=interval, weight=found.weight, worth=found.worth)


def _fixed_point(
    label: Array,
    sure: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.bool_],
    judge: Array,
    names: npt.NDArray[np.generic],
    *,
    level: float,
    seed: int,
) -> PoweredMean | Unknown:
    """Each step moves theta by the undecided share of the last move at most, so few steps are needed."""
    share, found = float(label[sure].mean()), None
    for _ in range(STEPS):
        human = np.where(sure, label, np.where(asked, share, np.nan))
        found = powered_mean(human, judge, names, level=level, seed=seed)
        if isinstance(found, Unknown) or abs(found.mean - share) < NEAR:
            return found
        share = found.mean
    return found if found is not None else Unknown("no step was taken")


def _widened(found: PoweredMean, times: float) -> Interval:
    """The interval with its reach on log odds so many times as far, the scale on which it was made."""
    centre = special.logit(min(max(found.mean, 1e-6), 1 - 1e-6))
    low, high = (
        float(special.expit(centre + times * (special.logit(end) - centre)))
        for end in (found.interval.low, found.interval.high)
    )
    return replace(found.interval, low=low, high=high)


def _agreement(label: Array, judge: Array, sure: npt.NDArray[np.bool_]) -> float | None:
    """Correlation of people's and the judge's labels where both gave one; None where either never varies."""
    both = sure & np.isfinite(judge)
    people, said = label[both], judge[both]
    return float(np.corrcoef(people, said)[0, 1]) if both.any() and np.ptp(people) > 0 and np.ptp(said) > 0 else None
