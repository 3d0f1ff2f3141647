"""Candidates -> the comparisons that follow from what is known of them, each a Draft for the contract to judge.

1. Which two answers are compared: with "all" every two, with "best" the best against the rest; where only votes are
   known, those that somebody compared.
2. Which of them won: by ranks, else by scores, else by the votes on the two, which the contract counts. Where ranks and
   scores are both known and disagree, the comparison is labelled both ways.
3. The margin is the difference of scores. Ranks state an order and no strength, votes are kept as votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot
from assay.data.layouts.texts import UnfitError
from assay.records import Candidates, Comparison

Derive = Literal["all", "best"]
Places = tuple[int, int]
AS_READ: Mapping[Literal["first", "second"], Literal["left", "right"]] = {"first": "left", "second": "right"}
TURNED: Mapping[Literal["first", "second"], Literal["left", "right"]] = {"first": "right", "second": "left"}


def drafts(group: Candidates, how: Derive, *, least_difference: float = 0.0) -> list[Draft]:
    """One Draft a comparison, named as the group and the two places; at least one where anything is known.

    least_difference: scores that differ by no more are a tie.
    """
    ballots: dict[Places, list[Ballot]] = {}
    for vote in group.votes:
        place = (min(vote.first, vote.second), max(vote.first, vote.second))
        ballots.setdefault(place, []).append(ballot(vote))
    stated = group.ranks is not None or group.scores is not None
    couples = combinations(range(len(group.answers)), 2) if stated else sorted(ballots)
    top = best(group) if how == "best" else set()
    return [
        compared(group, (i, j), tuple(ballots.get((i, j), ())), least_difference)
        for i, j in couples
        if not top or i in top or j in top  # several may share the first place: each of them against the rest
    ]


def compared(group: Candidates, places: Places, ballots: tuple[Ballot, ...], least: float) -> Draft:
    i, j = places
    draft = Draft(
        prompt=group.prompt,
        other_prompt=group.prompt,
        left=group.answers[i],
        right=group.answers[j],
        votes=ballots,
        id=f"{group.id}/{i}-{j}",
        category=group.category,
        group=group.group,
        source=group.source or None,
    )
    by_rank, by_score = better(group.ranks, places, "least"), better(group.scores, places, "most", least)
    draft.label = by_rank or by_score
    if {by_rank, by_score} == {"left", "right"}:
        draft.unfit = UnfitError("conflicting_labels", f"answers {i} and {j}: ranks say {by_rank}, scores {by_score}")
    elif draft.label is None and not ballots:
        unknown = [place for place in places if not known(group, place)] or list(places)
        draft.unfit = UnfitError("missing_field", f"nothing says how good answer {unknown[0]} is, counted from 0")
    if by_score is not None:
        left, right = (0.0 if group.scores is None else group.scores[place] or 0.0 for place in places)
        draft.margin = abs(left - right)
    return draft


def better(
    values: Sequence[float | None] | None, places: Places, wins: Literal["least", "most"], least: float = 0.0
) -> Literal["left", "right", "tie"] | None:
    """Which of two answers a list of numbers prefers; None where one of them is not known."""
    left, right = (None, None) if values is None else (values[places[0]], values[places[1]])
    if left is None or right is None:
        return None
    if abs(left - right) <= least:
        return "tie"
    return "left" if (left < right) == (wins == "least") else "right"


def known(group: Candidates, place: int) -> bool:
    return any(values is not None and values[place] is not None for values in (group.ranks, group.scores))


def best(group: Candidates) -> set[int]:
    """Places of the best answers: of the lowest rank, else the highest score, else the largest share of votes won."""
    if group.ranks is not None:
        merits = {place: -rank for place, rank in enumerate(group.ranks) if rank is not None}
    elif group.scores is not None:
        merits = {place: score for place, score in enumerate(group.scores) if score is not None}
    else:
        merits = shares_won(group.votes)
    return {place for place, merit in merits.items() if merit == max(merits.values())}


def shares_won(votes: Sequence[Comparison]) -> dict[int, float]:
    """The share of its votes that each answer won, a tie being half; answers nobody decided on are left out."""
    won: dict[int, float] = {}
    said: dict[int, int] = {}
    for vote in votes:
        if vote.choice == "abstain":
            continue
        for place, side in ((vote.first, "first"), (vote.second, "second")):
            said[place] = said.get(place, 0) + 1
            won[place] = won.get(place, 0.0) + (0.5 if vote.choice == "tie" else float(vote.choice == side))
    return {place: won[place] / count for place, count in said.items()}


def ballot(vote: Comparison) -> Ballot:
    """A vote in terms of the draft, whose left answer is the one of the lower place."""
    sides = AS_READ if vote.first < vote.second else TURNED
    shown = None if vote.shown_left is None else sides[vote.shown_left]
    if vote.choice == "tie" or vote.choice == "abstain":  # noqa: PLR1714 (mypy narrows on this form)
        return Ballot(outcome=vote.choice, annotator=vote.annotator, shown_left=shown)
    return Ballot(outcome=sides[vote.choice], annotator=vote.annotator, shown_left=shown)
