"""Candidates of which some are known to be right -> questions that a reward answers: does it put a right one on top?

A best-of-4 item of RewardBench 2 is a question of four choices, a preference pair one of two. Knows rewards; knows no
scorer and no benchmark's files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import InputError
from assay.questions.task import Answered, Question, Ties, cannot_be_graded, credit, ids_differ
from assay.records import NO_CATEGORY, Candidates, Pair
from assay.scorers.protocol import Scored, Unscored
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True)
class BestOf:
    """A Task: candidates under prompts, by category. ties: what several equal highest rewards are worth."""

    name: str
    questions: tuple[Question, ...]
    ties: Ties = "share"

    def items(self) -> Sequence[Question]:
        return self.questions

    def grade(self, question: Question, answered: Answered) -> float | Unknown:
        return credit(answered, question, ties=self.ties)


def best_of(
    name: str, groups: Sequence[Candidates], *, num_correct: int | Sequence[int] = 1, ties: Ties = "share"
) -> BestOf:
    """Groups whose first `num_correct` answers are right; one number for all, or one a group.

    Raises InputError where all or none are right, or two groups have one id.
    """
    counts = [num_correct] * len(groups) if isinstance(num_correct, int) else list(num_correct)
    if len(counts) != len(groups):
        raise InputError(f"{name}: num_correct has {len(counts)} numbers for {len(groups)} groups. Give one a group.")
    questions = [_question(group, count) for group, count in zip(groups, counts, strict=True)]
    return BestOf(name, ids_differ(name, questions), ties)


def best_of_pairs(name: str, pairs: Sequence[Pair], *, ties: Ties = "share") -> BestOf:
    """Pairs as questions of two choices, of which the chosen is right. Raises InputError for pairs labelled ties."""
    groups = []
    for pair in pairs:
        if pair.label == "tie":
            raise InputError(f"{pair.where}: pair {pair.id} is a tie, so neither answer is right. Leave ties out.")
        answers = (pair.chosen, pair.rejected)
        groups.append(
            Candidates(id=pair.id, prompt=pair.prompt, answers=answers, category=pair.category, where=pair.where)
        )
    return best_of(name, groups, ties=ties)


def values_of(results: Sequence[Scored]) -> Answered:
    """What a scorer gave to the answers of a group, as the answer to its question."""
    return [Unknown(one.reason) if isinstance(one, Unscored) else one.value for one in results]


def _question(group: Candidates, count: int) -> Question:
    right = tuple(range(count))
    if problem := cannot_be_graded(len(group.answers), right):
        raise InputError(f"{group.where}: candidates {group.id}: {problem}.")
    return Question(
        id=group.id,
        subject=group.category or NO_CATEGORY,
        prompt=group.prompt,
        choices=group.answers,
        right=right,
    )
