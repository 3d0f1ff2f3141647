"""What anything that scores must offer, and how pairs are put to it. Knows records; knows no model."""

from __future__ import annotations

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
        """One reward for each answer of each group, in the order given; higher is better. Not finite: no reward."""
        ...


class RefusingScorer(Scorer, Protocol):
    """A scorer that can say beforehand which answers it cannot take."""

    def refusals(self, groups: Sequence[Candidates]) -> dict[tuple[int, int], str]: ...


def as_candidates(pairs: Sequence[Pair]) -> list[Candidates]:
    """Pairs as groups: one group for each prompt, in order of first appearance, each distinct answer in it once.

    A group is called as the first of its pairs.
    """
    groups: dict[Text, tuple[str, dict[Text, None]]] = {}
    for pair in pairs:
        _, answers = groups.setdefault(pair.prompt, (pair.id, {}))
        answers.update({pair.chosen: None, pair.rejected: None})
    return [Candidates(id=first, prompt=prompt, answers=tuple(answers)) for prompt, (first, answers) in groups.items()]


def score_pairs(scorer: Scorer, pairs: Sequence[Pair]) -> list[PairScore]:
    """One PairScore for each pair, in order; pairs under one prompt share it, and equal answers are scored once.

    Raises InputError if the scorer gives another number of rewards than there are answers.
    """
    groups = as_candidates(pairs)
    found = scores_of(scorer, groups)
    rewards = {
        (group.prompt, answer): value
        for group, values in zip(groups, found, strict=True)
        for answer, value in zip(group.answers, values, strict=True)
    }
    return [
        PairScore(pair_id=p.id, chosen=rewards[p.prompt, p.chosen], rejected=rewards[p.prompt, p.rejected])
        for p in pairs
    ]


def unreadable(scorer: RefusingScorer, pairs: Sequence[Pair]) -> dict[str, str]:
    """Pairs of which the scorer cannot take an answer whole, by id, and why."""
    groups = as_candidates(pairs)
    refused = {
        (groups[place].prompt, groups[place].answers[number]): why
        for (place, number), why in scorer.refusals(groups).items()
    }
    whys = ((pair.id, refused.get((pair.prompt, one))) for pair in pairs for one in (pair.chosen, pair.rejected))
    return {name: why for name, why in whys if why is not None}


def scores_of(scorer: Scorer, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
    """What the scorer gives, one value an answer. Raises InputError if it gives more or fewer."""
    found = scorer.score(groups)
    if len(found) != len(groups):
        raise InputError(f"{scorer.name} gave rewards for {len(found)} of {len(groups)} groups of candidates.")
    for group, values in zip(groups, found, strict=True):
        if len(values) != len(group.answers):
            raise InputError(
                f"{scorer.name} gave {len(values)} rewards for the {len(group.answers)} candidates of {group.id}."
            )
    return found
