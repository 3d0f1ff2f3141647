"""What anything that scores must offer, and how pairs are put to it. Knows records; knows no model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from assay.errors import InputError
from assay.records import Candidates, Pair, PairScore, Text


@runtime_checkable
class Scorer(Protocol):
    """Scores groups of candidates under one prompt.

    name: for people. fingerprint: changes whenever scores may change.
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        """One reward for each answer of each group, in the order given; higher is better."""
        ...


def as_candidates(pairs: Sequence[Pair]) -> list[Candidates]:
    """Pairs as groups: one group for each prompt, in order of first appearance, each distinct answer in it once."""
    answers: dict[Text, dict[Text, None]] = {}
    for pair in pairs:
        answers.setdefault(pair.prompt, {}).update({pair.chosen: None, pair.rejected: None})
    return [
        Candidates(id=str(number), prompt=prompt, answers=tuple(found))
        for number, (prompt, found) in enumerate(answers.items())
    ]


def score_pairs(scorer: Scorer, pairs: Sequence[Pair]) -> list[PairScore]:
    """One PairScore for each pair, in order; pairs under one prompt share it, and equal answers are scored once.

    Raises InputError if the scorer gives another number of rewards than there are answers, or a reward is not finite.
    """
    groups = as_candidates(pairs)
    found = scorer.score(groups)
    if len(found) != len(groups):
        raise InputError(f"{scorer.name} gave rewards for {len(found)} of {len(groups)} groups.")
    rewards: dict[tuple[Text, Text], float] = {}
    for group, values in zip(groups, found, strict=True):
        if len(values) != len(group.answers) or not all(map(math.isfinite, values)):
            raise InputError(f"{scorer.name}: group {group.id} has {len(group.answers)} answers and got {values!r}.")
        rewards.update({(group.prompt, answer): value for answer, value in zip(group.answers, values, strict=True)})
    return [
        PairScore(pair_id=p.id, chosen=rewards[p.prompt, p.chosen], rejected=rewards[p.prompt, p.rejected])
        for p in pairs
    ]
