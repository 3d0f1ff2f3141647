"""Candidates under one prompt -> labelled pairs: couples are picked, put before every voter, labelled, and named.

Knows a candidate by its text and utility; knows no world and no defect.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, Protocol, TypedDict, TypeVar

Side = Literal["left", "right"]
LETTERS = "abcdefgh"


class Candidate(Protocol):
    """One answer as a vote needs it: its words, and what it is truly worth."""

    @property
    def text(self) -> str: ...
    @property
    def utility(self) -> float: ...


A = TypeVar("A", bound=Candidate)
# (generator, answer on the left, answer on the right) -> the side picked, and whether it was picked unread.
CastVote = Callable[[random.Random, A, A], tuple[Side, bool]]


class VoteRow(TypedDict):
    """One vote as it stands in the file; shown_left: which answer stood on the left."""

    choice: Literal["chosen", "rejected", "tie"]
    annotator: str
    shown_left: Literal["chosen", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One pair with its label, its votes and the two answers' truth."""

    id: str
    prompt: str
    category: str
    group: str
    chosen: Candidate
    rejected: Candidate
    votes: list[VoteRow]
    voted_unread: bool = False
    prompt_right: str | None = None  # set where the two answers were given to different prompts


def couples(
    rng: random.Random, answers: Sequence[Candidate], *, least_apart: float, most: int
) -> list[tuple[int, int]]:
    """Up to `most` couples of candidates far enough apart to be told apart; of equal texts only the first counts."""
    first = {answer.text: place for place, answer in reversed(tuple(enumerate(answers)))}
    found = [
        (i, j)
        for i, j in combinations(sorted(first.values()), 2)
        if abs(answers[i].utility - answers[j].utility) >= least_apart
    ]
    rng.shuffle(found)
    return found[:most]


def put_to_vote(
    rng: random.Random,
    answers: Sequence[A],
    couple: tuple[int, int],
    voters: Sequence[tuple[str, CastVote[A]]],
    *,
    prompt: str,
    category: str,
    group: str,
) -> Labelled:
    """One couple put before every voter, sides drawn anew for each; the majority names the chosen answer.

    voters: name and vote of each, an odd number of them.
    """
    first, second = (answers[place] for place in couple)
    picks: list[tuple[str, int, Side]] = []  # voter, which of the couple was picked, where the first one stood
    biased = False
    for name, vote in voters:
        first_on: Side = "left" if rng.random() < 0.5 else "right"
        left, right = (first, second) if first_on == "left" else (second, first)
        side, unread = vote(rng, left, right)
        biased = biased or unread
        picks.append((name, 0 if side == first_on else 1, first_on))
    winner = int(sum(pick for _, pick, _ in picks) * 2 > len(picks))
    other: dict[Side, Side] = {"left": "right", "right": "left"}
    votes: list[VoteRow] = []
    for name, pick, first_on in picks:
        chosen_on = first_on if winner == 0 else other[first_on]
        votes.append(
            {
                "choice": "chosen" if pick == winner else "rejected",
                "annotator": name,
                "shown_left": "chosen" if chosen_on == "left" else "rejected",
            }
        )
    order = couple if winner == 0 else couple[::-1]
    return Labelled(
        id=f"{LETTERS[order[0]]}{LETTERS[order[1]]}", prompt=prompt, category=category, group=group,
        chosen=answers[order[0]], rejected=answers[order[1]], votes=votes, voted_unread=biased,
    )  # fmt: skip


def numbered(labelled: Sequence[Labelled], world: str) -> list[Labelled]:
    """Names that tell nothing: groups by first appearance, rows by group and the letters of the couple."""
    names: dict[str, int] = {}
    out = []
    for row in labelled:
        number = names.setdefault(row.group, len(names))
        letters = "".join(sorted(row.id))
        out.append(replace(row, id=f"p-{number}-{letters}", group=f"{world}-{number}"))
    return out
