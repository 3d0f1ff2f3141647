"""Where an axis stands (helpful, harmless, honest): what the votes of closed studies leave open.

Undecided is an axis on which few comparisons have a majority, on which no system is shown to be better than another, or
on which editors agree no better than a coin would. Silent is one on which people hardly ever see a difference: more
votes there buy nothing. Knows votes and items; knows no file and no reward.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.unknown import Unknown
from assay.stats.winrate import Rate, win_rate
from assay.study.analysis.ballots import score
from assay.study.study_records import ClosedStudy, EditorKind, Item, Side, StudyVote

Outcome = Literal["undecided", "decided", "silent"]
SILENT = 0.1  # share of comparisons with a majority, below which (by its upper bound) an axis is silent
# Names that say where an answer stood in a file and not who wrote it: a win rate of one over the other says nothing.
PLACES = frozenset({"a", "b", "chosen", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The votes on one comparison by one axis, without abstentions. prompt: its id within its study."""

    item: Item
    prompt: str
    for_a: int
    for_b: int
    ties: int

    @property
    def votes(self) -> int:
        return self.for_a + self.for_b + self.ties

    @property
    def decided(self) -> bool:
        """Whether more votes are for one answer than for the other, and than for neither."""
        return self.for_a != self.for_b and max(self.for_a, self.for_b) > self.ties

    @property
    def openness(self) -> float:
        """Variance of the share of votes for answer a, after these votes and a uniform prior: 1/12 without a vote.

        A tie is half a vote for each. Both few votes and split ones keep it large, which is what one more vote lowers.

        >>> Tally(item=None, prompt="", for_a=0, for_b=0, ties=0).openness  # doctest: +ELLIPSIS
        0.0833...
        """
        a, b = 1 + self.for_a + self.ties / 2, 1 + self.for_b + self.ties / 2
        return a * b / ((a + b) ** 2 * (a + b + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisStanding:
    """One axis, overall (category None) or in one category.

    comparisons: with a vote by it; decided: of them those with a majority. agreement: of two votes on one comparison
    that both prefer an answer, how often it is the same one. reasons: why, in words; the first leads.
    """

    axis: str
    category: str | None
    comparisons: int
    decided: int
    agreement: Rate | Unknown
    outcome: Outcome
    reasons: tuple[str, ...]

    @property
    def chance(self) -> float:
        """How likely the next comparison is to have a majority, after these and a uniform prior."""
        return (self.decided + 1) / (self.comparisons + 2)

    def to_dict(self) -> dict[str, object]:
        return {
            "axis": self.axis, "category": self.category, "comparisons": self.comparisons, "decided": self.decided,
            "agreement": None if isinstance(self.agreement, Unknown) else self.agreement.value,
            "outcome": self.outcome, "reasons": list(self.reasons),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """What an axis needs to be decided: comparisons with a majority, overall and in a category; level of intervals."""

    overall: int = 30
    category: int = 10
    level: float = 0.95


def axis_votes(
    studies: Iterable[ClosedStudy], axis: str, judges: Collection[EditorKind]
) -> list[tuple[Item, str, StudyVote]]:
    """Ratings of one axis as votes, each with its item and its prompt's name; real showings of such judges alone."""
    return [
        (closed.items[vote.item], f"{closed.study.id}/{vote.prompt_id}", replace(vote, choice=vote.ratings[axis]))
        for closed in studies
        for vote in closed.votes
        if vote.kind == "real" and vote.judge in judges and axis in vote.ratings and vote.item in closed.items
    ]


def tallies(votes: Sequence[tuple[Item, str, StudyVote]]) -> list[Tally]:
    """The votes on each comparison, in order of first appearance; studies keep their comparisons apart."""
    found: dict[tuple[str, str], list[tuple[Item, Side | None]]] = defaultdict(list)
    for item, prompt, vote in votes:
        found[prompt, item.id].append((item, vote.preferred(item)))
    return [
        Tally(
            item=said[0][0],
            prompt=prompt,
            for_a=sum(side == "a" for _, side in said),
            for_b=sum(side == "b" for _, side in said),
            ties=sum(side is None for _, side in said),
        )
        for (prompt, _), said in found.items()
    ]


def standings(
    studies: Sequence[ClosedStudy],
    axis: str,
    *,
    judges: Collection[EditorKind],
    enough: Enough,
    asked: Collection[str] = (),
) -> list[AxisStanding]:
    """The axis overall first, then in each category, by name: those with votes, and those `asked` about.

    A category without a vote is undecided, where others have some; where none has, no category differs from another.
    """
    votes = axis_votes(studies, axis, judges)
    voted = {item.category for item, _, _ in votes if item.category is not None}
    categories = sorted(voted | set(asked) if votes else voted)
    overall = _standing(axis, None, votes, enough.overall, enough.level)
    return [
        overall,
        *(
            _standing(axis, name, [one for one in votes if one[0].category == name], enough.category, enough.level)
            for name in categories
        ),
    ]


def _standing(
    axis: str, category: str | None, votes: Sequence[tuple[Item, str, StudyVote]], least: int, level: float
) -> AxisStanding:
    counted = tallies(votes)
    decided = sum(one.decided for one in counted)
    same = _agreement(counted, level)
    outcome, reasons = _outcome(counted, votes, same, least=least, level=level)
    return AxisStanding(
        axis=axis, category=category, comparisons=len(counted), decided=decided, agreement=same, outcome=outcome,
        reasons=reasons,
    )  # fmt: skip


def _outcome(
    counted: Sequence[Tally],
    votes: Sequence[tuple[Item, str, StudyVote]],
    same: Rate | Unknown,
    *,
    least: int,
    level: float,
) -> tuple[Outcome, tuple[str, ...]]:
    if not counted:
        return "undecided", ("nobody voted on it",)
    decided = sum(one.decided for one in counted)
    seen = cluster_wilson([float(one.decided) for one in counted], [one.prompt for one in counted], level=level)
    if isinstance(seen, Interval) and seen.high < SILENT:
        told = f"{decided} of {len(counted)} comparisons have a majority (of such at most {seen.high:.1%})"
        return "silent", (f"{told}: people see no difference",)
    reasons = []
    if decided < least:
        reasons.append(f"{decided} of {len(counted)} comparisons have a majority, fewer than {least}")
    reasons += _open_win_rates([(prompt, vote) for _, prompt, vote in votes], level)
    if isinstance(same, Rate) and isinstance(same.interval, Interval) and same.interval.low <= 0.5:
        reasons.append(f"two editors agree {_told(same)} of the time, no better than a coin")
    if reasons:
        return "undecided", tuple(reasons)
    return "decided", (f"{decided} of {len(counted)} comparisons have a majority",)


def _open_win_rates(votes: Sequence[tuple[str, StudyVote]], level: float) -> list[str]:
    """Couples of systems of which neither is shown to be the better one. Of two systems that is their Bradley-Terry
    difference holding 0: its sign is that of the win rate less one half."""
    named = {vote.left_system for _, vote in votes} | {vote.right_system for _, vote in votes}
    found = []
    for one, other in combinations(sorted(named - PLACES), 2):
        met = [(prompt, vote) for prompt, vote in votes if {vote.left_system, vote.right_system} == {one, other}]
        scores = [score(vote.choice, vote, other) for _, vote in met]
        rate = win_rate(scores, [prompt for prompt, _ in met], level=level)
        if isinstance(rate, Unknown):
            continue
        if isinstance(rate.interval, Unknown) or rate.interval.low <= 0.5 <= rate.interval.high:
            found.append(f"win rate of {other} over {one} {_told(rate)} holds one half")
    return found


def _agreement(counted: Sequence[Tally], level: float) -> Rate | Unknown:
    """Over comparisons with two preferences or more: the share of pairs of them that are for the same answer."""
    several = [one for one in counted if one.for_a + one.for_b > 1]
    if not several:
        return Unknown("no comparison has two votes that prefer an answer")
    return win_rate([_alike(one) for one in several], [one.prompt for one in several], level=level)


def _alike(one: Tally) -> float:
    said = one.for_a + one.for_b
    alike = one.for_a * (one.for_a - 1) + one.for_b * (one.for_b - 1)
    return alike / (said * (said - 1))


def _told(rate: Rate) -> str:
    if isinstance(rate.interval, Unknown):
        return f"{rate.value:.1%} (no interval: {rate.interval.reason})"
    return f"{rate.value:.1%} ({rate.interval.low:.1%} to {rate.interval.high:.1%})"


def undecided_parts(found: Sequence[AxisStanding]) -> Mapping[str, str]:
    """category -> why, of the categories in which an axis is undecided; those without any vote first."""
    ordered = sorted(found, key=lambda one: one.comparisons > 0)
    return {one.category: one.reasons[0] for one in ordered if one.category is not None and one.outcome == "undecided"}


def silent_parts(found: Sequence[AxisStanding]) -> frozenset[str]:
    """Categories in which people see no difference along the axis."""
    return frozenset(one.category for one in found if one.category is not None and one.outcome == "silent")
