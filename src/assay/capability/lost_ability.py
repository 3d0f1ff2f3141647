"""From grades before and after to an outcome: within the margin, worse, underpowered, or at chance. Knows no model.

1) Is the model before shown to be better than guessing by more than the margin? If not, nothing it could lose would be
seen, whatever the drop looks like. 2) The drop, paired by question, its bounds one-sided, subjects and questions both
taken to vary. 3) Where neither bound decides, how many questions would.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assay.capability.config import CapabilityConfig
from assay.capability.graded_table import GradedTable
from assay.findings.number_text import number_text
from assay.stats.intervals import Array, Interval, Names, cluster_t, cluster_wilson, wilson
from assay.stats.paired_difference import paired_drop
from assay.stats.paired_tests import mcnemar_exact
from assay.stats.power import LIKELY, pairs_needed_for_mean
from assay.stats.unknown import Unknown

# alone: there is no model before, and only whether it can do the test is told.
Outcome = Literal["within", "worse", "underpowered", "at_chance", "alone"]
DECIDES = ("letter", "text by length")  # raw log-probabilities of texts favour short ones: shown, and left out of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """How far a model stands above the best rule without ability: the mean, and a bound that holds one-sided."""

    rule: str
    guess: float
    beyond: Interval | Unknown
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOutcome:
    """One way of asking. lost, gained: questions right before only, and after only. drop: None without a model before.

    questions_needed: in all, for an 80% chance of a decision if the drop is what it looks like; if_nothing_lost: the
    same if nothing was lost. None where it is decided, or no number would do.
    """

    asked: str
    outcome: Outcome
    reason: str
    n: int
    subjects: int
    after: float | None
    after_interval: Interval | Unknown
    before: float | None = None
    before_interval: Interval | Unknown | None = None
    ability: Ability | None = None
    drop: float | None = None
    bounds: Interval | Unknown | None = None
    lost: int = 0
    gained: int = 0
    mcnemar_p: float | None = None
    questions_needed: int | None = None
    if_nothing_lost: int | None = None


def way_outcome(table: GradedTable, config: CapabilityConfig) -> WayOutcome:
    """What one way of asking says."""
    if not table.n:
        why = next(iter(table.left_out.values()), "there are no questions")
        none = Unknown("no question could be read whole")
        return WayOutcome(
            asked=table.asked, outcome="underpowered" if table.before is not None else "alone", n=0, subjects=0,
            reason=f"no question could be read whole: {why}", after=None, after_interval=none,
        )  # fmt: skip
    subjects = table.subjects
    ability = _ability(table, config.level)
    can = isinstance(ability.beyond, Interval) and ability.beyond.low > config.margin
    alone = WayOutcome(
        asked=table.asked, outcome="alone" if can else "at_chance", reason=_guessing(table, ability, can), n=table.n,
        subjects=len(set(subjects.tolist())), ability=ability, after=float(table.after.mean()),
        after_interval=share_interval(table.after, subjects, 0.95),
    )  # fmt: skip
    if table.before is None:
        return alone
    apart = table.before - table.after
    drop, bounds = float(apart.mean()), paired_drop(table.before, table.after, subjects, level=config.level)
    lost, gained = int((apart > 0).sum()), int((apart < 0).sum())
    outcome, reason = _decided(drop, bounds, config)
    if outcome != "worse" and not can:
        outcome, reason = "at_chance", alone.reason
    needed = _needed(drop, bounds, table.n, alone.subjects, config) if outcome == "underpowered" else (None, None)
    return replace(
        alone, outcome=outcome, reason=reason, before=float(table.before.mean()),
        before_interval=share_interval(table.before, subjects, 0.95), drop=drop, bounds=bounds, lost=lost,
        gained=gained, mcnemar_p=mcnemar_exact(lost, gained), questions_needed=needed[0], if_nothing_lost=needed[1],
    )  # fmt: skip


def deciding(ways: list[WayOutcome]) -> WayOutcome:
    """The way of asking that the verdict rests on: one that is worse, or of those above chance the least favourable.

    So "within" is said only where every way of asking that the model before can do says so.
    """
    allowed = [way for way in ways if way.asked in DECIDES] or ways
    able = [way for way in allowed if way.outcome != "at_chance"]
    rank = {"worse": 3, "underpowered": 2, "within": 1, "alone": 0}

    def least_favourable(way: WayOutcome) -> tuple[int, float]:
        return rank[way.outcome], way.bounds.high if isinstance(way.bounds, Interval) else 1.0

    return max(able, key=least_favourable) if able else allowed[0]


def share_interval(grades: Array, clusters: Names, level: float) -> Interval | Unknown:
    """Wilson's, clustered by subject; over the questions of a single subject, without clusters."""
    if len(set(np.asarray(clusters).tolist())) == 1:
        return wilson(float(grades.sum()), grades.size, level=level)
    return cluster_wilson(grades, clusters, level=level)


def _ability(table: GradedTable, level: float) -> Ability:
    """Against the rule that leaves least, each question its own control."""
    several = len(set(table.subjects.tolist())) > 1
    units = [np.arange(table.n).astype(str), *([table.subjects] if several else [])]
    found = []
    for rule, guess in table.guesses().items():
        beyond = table.first - guess
        # The wider of subjects and questions, as for the drop: few subjects may agree by luck.
        each = [cluster_t(beyond, names, level=level) for names in units]
        known = [one for one in each if isinstance(one, Interval)]
        bound: Interval | Unknown = min(known, key=lambda one: one.low) if known else Unknown("a single question")
        found.append(Ability(rule=rule, guess=float(guess.mean()), beyond=bound, mean=float(beyond.mean())))
    return min(found, key=lambda one: one.beyond.low if isinstance(one.beyond, Interval) else -1.0)


def _guessing(table: GradedTable, ability: Ability, can: bool) -> str:
    right = f"{100 * float(table.first.mean()):.1f}% right, {ability.rule} gets {100 * ability.guess:.1f}%"
    if can:
        return f"above guessing: {right}"
    who = "it" if table.before is None else "the model before"
    return f"{who} is not shown to be above guessing by more than the margin ({right})"


def _decided(drop: float, bounds: Interval | Unknown, config: CapabilityConfig) -> tuple[Outcome, str]:
    if isinstance(bounds, Unknown):
        return "underpowered", bounds.reason
    told = f"drop {points(drop)} points, bounds {points(bounds.low)} to {points(bounds.high)}"
    if bounds.high < config.margin:
        return "within", told
    return ("worse" if bounds.low >= config.margin else "underpowered"), told


def _needed(
    drop: float, bounds: Interval | Unknown, n: int, subjects: int, config: CapabilityConfig
) -> tuple[int | None, int | None]:
    """Questions at which a bound clears the margin in four of five cases, as subjects now stand to questions."""
    if isinstance(bounds, Unknown):
        return None, None
    clusters = subjects if subjects > 1 else None
    found = []
    for true in (drop, 0.0):
        # The interval as it is, moved to where the truth is taken to be.
        moved = (bounds.low - drop + true, bounds.high - drop + true)
        needed = pairs_needed_for_mean(
            true, config.margin, n=n, bounds=moved, level=config.level, clusters=clusters, chance=LIKELY
        )
        found.append(None if isinstance(needed, Unknown) else max(needed, n + 1))
    return found[0], found[1]


def points(value: float) -> str:
    """A share as points, signed.

    >>> points(0.0213)
    '+2.1'
    """
    return number_text(100 * value, "+.1f")
