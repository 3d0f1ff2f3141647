"""Cases -> labelled pairs: couples of candidates are picked, put before every annotator, and named.

Knows nothing of defects; those are planted in what this gives.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypedDict

from assay.simulate.random_values import simulation_stream, weighted
from assay.simulate.support.annotators import Annotator, Side, vote
from assay.simulate.support.case import Case
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.utility import Answer

# Pairs of candidates nearer in utility than this are not sent to the annotators: nobody could tell them apart.
LEAST_APART = 0.6
LETTERS = "abcdefgh"


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
    chosen: Answer
    rejected: Answer
    votes: list[VoteRow]
    voted_unread: bool = False
    prompt_right: str | None = None  # set where the two answers were given to different prompts


def label_category(category: str, wanted: int, *, seed: int, annotators: tuple[Annotator, ...]) -> list[Labelled]:
    """Cases of one category until there are enough pairs; several candidates a case, two to four pairs of them."""
    cases, votes = simulation_stream(seed, f"cases/{category}"), simulation_stream(seed, f"votes/{category}")
    out: list[Labelled] = []
    number = 0
    while len(out) < wanted:
        case = CATEGORIES[category](cases, cases.choice((3, 4, 4, 5)))
        couples = _couples(cases, case.answers, most=weighted(cases, {2: 0.3, 3: 0.4, 4: 0.3}))
        if len(couples) < 2:
            continue
        for couple in couples[: wanted - len(out)]:
            out.append(_labelled(votes, case, couple, group=f"{category}/{number}", annotators=annotators))
        number += 1
    return out


def _couples(rng: random.Random, answers: tuple[Answer, ...], *, most: int) -> list[tuple[int, int]]:
    """Up to `most` couples of candidates far enough apart to be told apart; of equal texts only the first counts."""
    first = {answer.text: place for place, answer in reversed(tuple(enumerate(answers)))}
    couples = [
        (i, j)
        for i, j in combinations(sorted(first.values()), 2)
        if abs(answers[i].utility - answers[j].utility) >= LEAST_APART
    ]
    rng.shuffle(couples)
    return couples[:most]


def _labelled(
    rng: random.Random, case: Case, couple: tuple[int, int], *, group: str, annotators: tuple[Annotator, ...]
) -> Labelled:
    """One couple put before every annotator, sides drawn anew for each; the majority names the chosen answer."""
    first, second = (case.answers[place] for place in couple)
    picks: list[tuple[str, int, Side]] = []  # annotator, which of the couple was picked, where the first one stood
    biased = False
    for annotator in annotators:
        first_on: Side = "left" if rng.random() < 0.5 else "right"
        left, right = (first, second) if first_on == "left" else (second, first)
        side, unread = vote(rng, annotator, left=left, right=right)
        biased = biased or unread
        picks.append((annotator.name, 0 if side == first_on else 1, first_on))
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
        id=f"{LETTERS[order[0]]}{LETTERS[order[1]]}", prompt=case.prompt, category=case.category, group=group,
        chosen=case.answers[order[0]], rejected=case.answers[order[1]], votes=votes, voted_unread=biased,
    )  # fmt: skip


def numbered(labelled: list[Labelled]) -> list[Labelled]:
    """Names that tell nothing: groups by first appearance, rows by group and the letters of the couple."""
    names: dict[str, int] = {}
    out = []
    for row in labelled:
        number = names.setdefault(row.group, len(names))
        letters = "".join(sorted(row.id))
        out.append(replace(row, id=f"p-{number}-{letters}", group=f"support-{number}"))
    return out
