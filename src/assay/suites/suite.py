"""What every suite is: groups of answers to score, marks for what a scorer gave them, and figures made of marks.

A mark is what one item says to one part (a subset, or a cell of it); a formula makes a figure of the means of parts, as
the authors of the suite do. Knows rewards; knows neither scorers nor files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Mark:
    """What the item `item`, on the prompt `cluster`, says to `part`: 0 to 1, or why nothing.

    chance: what rewards drawn at random would get on average; None where nobody can say.
    """

    part: str
    item: str
    cluster: str
    value: float | Unknown
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A figure made of the means of `parts`: `of` maps their means, shape (R, P), to shape (R,).

    also: a condition of the figure worth saying beside it, such as which domains are not in it.
    """

    name: str
    parts: tuple[str, ...]
    of: Callable[[Array], Array]
    also: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A figure that is no mean of marks, such as a rank correlation of models: without an interval, and why."""

    name: str
    value: float | Unknown
    n: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a suite: its title, whose rule is followed, and what its authors do with answers too long."""

    title: str
    source: str
    rule: str
    over_long: str
    baselines: tuple[str, ...] = ("baseline:longest", "baseline:shortest")


def _nothing(_answered: Sequence[Answered]) -> list[Described]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite as it was read.

    groups: what is scored, the right answers first wherever there is a right one; ids differ. mark: what the rewards of
    all groups, in their order, are worth. hidden: parts that only formulas need. notes: what is not as published.
    """

    name: str
    about: About
    groups: tuple[Candidates, ...]
    mark: Callable[[Sequence[Answered]], list[Mark]]
    formulas: tuple[Formula, ...]
    hidden: frozenset[str] = frozenset()
    describe: Callable[[Sequence[Answered]], list[Described]] = _nothing
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict, hash=False)


def weighted(name: str, weights: dict[str, float], *, also: str = "") -> Formula:
    """The mean of parts by weight.

    >>> float(weighted("all", {"a": 1, "b": 3}).of(np.array([[1.0, 0.0]]))[0])
    0.25
    """
    share_P = np.array(list(weights.values()), dtype=np.float64)
    share_P /= share_P.sum()
    return Formula(name=name, parts=tuple(weights), of=lambda means_RP: means_RP @ share_P, also=also)


def without_value(answered: Answered) -> Unknown | None:
    """Why an item cannot be graded: the first of its answers that has no reward. A reward that is not finite is one."""
    return next((value for value in answered if isinstance(value, Unknown)), None)


def finite(answered: Answered) -> list[float] | None:
    """The rewards as numbers; None where one is not finite, which no rule of any suite calls right."""
    values = [float(value) for value in answered if not isinstance(value, Unknown)]
    return values if all(map(math.isfinite, values)) else None


def strictly(answered: Answered, right: int, wrong: int) -> float | Unknown:
    """1 where the answer at `right` has a higher reward than the one at `wrong`; equal is wrong."""
    first, second = answered[right], answered[wrong]
    if isinstance(first, Unknown):
        return first
    return second if isinstance(second, Unknown) else float(first > second)
