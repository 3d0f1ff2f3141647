"""Votes as numbers: what each said about our system. Knows votes and items; knows no statistics.

Shapes: N ballots. A ballot is a judgement with an opinion on an item where our system took part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.records import plain_text
from assay.stats.intervals import Array
from assay.study.study_records import Item, Rating, StudyVote

Unit = Literal["characters", "words"]
MEASURES: Mapping[Unit, Callable[[str], int]] = {"characters": len, "words": lambda text: len(text.split())}
DRAWN = frozenset({"tie", "both_bad"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballots:
    """Real showings with an opinion. score_N: 1 ours, 0 the other's, 1/2 a tie or both bad."""

    votes: tuple[StudyVote, ...]
    score_N: Array
    prompts: tuple[str, ...]
    ours_left_N: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.votes)

    def where(self, keep: Callable[[StudyVote], bool]) -> Ballots:
        """The ballots of some votes."""
        mask = np.array([keep(vote) for vote in self.votes], dtype=bool)
        return Ballots(
            votes=tuple(vote for vote, kept in zip(self.votes, mask, strict=True) if kept),
            score_N=self.score_N[mask],
            prompts=tuple(name for name, kept in zip(self.prompts, mask, strict=True) if kept),
            ours_left_N=self.ours_left_N[mask],
        )

    def decided(self) -> Ballots:
        """Without ties and both bad."""
        return self.where(lambda vote: vote.choice not in DRAWN)

    def counts(self) -> dict[str, int]:
        both_bad = sum(vote.choice == "both_bad" for vote in self.votes)
        return {
            "won": int((self.score_N == 1).sum()),
            "lost": int((self.score_N == 0).sum()),
            "tied": sum(vote.choice == "tie" for vote in self.votes),
            "both_bad": both_bad,
        }


def ballots(votes: Iterable[StudyVote], ours: str) -> Ballots:
    """Ballots of real showings: repeats, attention items, abstentions and comparisons without `ours` left out."""
    kept = tuple(v for v in votes if v.kind == "real" and v.choice != "abstain" and takes_part(v, ours))
    return _scored(kept, [score(vote.choice, vote, ours) for vote in kept], ours)


def aspect_ballots(votes: Iterable[StudyVote], ours: str, aspect: str) -> Ballots:
    """The same for one rated aspect; a vote that left it out has no ballot."""
    kept = tuple(v for v in votes if v.kind == "real" and aspect in v.ratings and takes_part(v, ours))
    return _scored(kept, [score(vote.ratings[aspect], vote, ours) for vote in kept], ours)


def takes_part(vote: StudyVote, ours: str) -> bool:
    """Whether a vote compares `ours` with another system; both answers may come from one."""
    return (vote.left_system == ours) != (vote.right_system == ours)


def score(choice: str | Rating, vote: StudyVote, ours: str) -> float:
    """What a choice says about `ours`: 1, 0, or 1/2."""
    system = chosen(choice, vote)
    return 0.5 if system is None else float(system == ours)


def chosen(choice: str, vote: StudyVote) -> str | None:
    """The system a choice prefers; None if it prefers neither."""
    return {"left": vote.left_system, "right": vote.right_system}.get(choice)


def _scored(votes: tuple[StudyVote, ...], scores: Sequence[float], ours: str) -> Ballots:
    return Ballots(
        votes=votes,
        score_N=np.asarray(scores, dtype=np.float64),
        prompts=tuple(vote.prompt_id for vote in votes),
        ours_left_N=np.array([vote.left_system == ours for vote in votes], dtype=bool),
    )


def length_differences(found: Ballots, items: Mapping[str, Item], ours: str, unit: Unit) -> Array | None:
    """Length of our answer minus the other's, shape (N,); None where a text is not at hand."""
    measure = MEASURES[unit]
    differences = {}
    for vote in found.votes:
        item = items.get(vote.item)
        if item is None or ours not in (item.system_a, item.system_b):
            return None
        if item.id not in differences:
            gap = measure(item.answer_a) - measure(item.answer_b)
            differences[item.id] = gap if item.system_a == ours else -gap
    return np.array([differences[vote.item] for vote in found.votes], dtype=np.float64)


def reading_words(items: Mapping[str, Item]) -> dict[str, int]:
    """Words of prompt and both answers, by item."""
    return {
        item.id: len(" ".join((plain_text(item.prompt), item.answer_a, item.answer_b)).split())
        for item in items.values()
    }


def reading_seconds(votes: Sequence[StudyVote], words: Mapping[str, int], words_per_minute: float) -> Array:
    """Seconds it takes to read prompt and answers at that speed; 0 where the texts are not at hand."""
    return np.array([60 * words.get(vote.item, 0) / words_per_minute for vote in votes], dtype=np.float64)


def by_editor(votes: Iterable[StudyVote]) -> Mapping[str, list[StudyVote]]:
    """The votes of each editor, in their order; an editor without any has an empty list."""
    found: dict[str, list[StudyVote]] = defaultdict(list)
    for vote in votes:
        found[vote.editor].append(vote)
    return found


def seconds(votes: Sequence[StudyVote]) -> Array:
    """Seconds in view, shape (N,); NaN where nothing measured it."""
    return np.array([np.nan if vote.ms is None else vote.ms / 1000 for vote in votes], dtype=np.float64)


def label(vote: StudyVote, order: Mapping[str, int]) -> float:
    """What a vote says about its item, as a number that does not depend on sides; NaN for an abstention.

    0: the system that stands earlier in the study's list, 1: the later one, 2: tie, 3: both bad. Where one system
    gave both answers, 0 is the item's first and 1 its second.
    """
    if vote.choice == "abstain":
        return float("nan")
    if vote.choice in DRAWN:
        return 2.0 if vote.choice == "tie" else 3.0
    if vote.left_system == vote.right_system:
        left_first = vote.left != "b"
    else:
        left_first = order[vote.left_system] < order[vote.right_system]
    return float((vote.choice == "left") != left_first)
