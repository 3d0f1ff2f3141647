"""Groups of answers -> each two different answers once -> a result for each answer from all its comparisons.

Whoever compares two answers at a time (a judge, a jury, a debate) says how a comparison is made and what an answer gets
from its own. Knows no judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Protocol, Self, TypeVar

from assay.records import Candidates, Text
from assay.scorers.protocol import Scored, Unscored
from assay.scorers.stated_reference import no_reference

Key = tuple[Text, str | None]  # a prompt, and the reference answer where a judge's prompt shows one
Duel = tuple[Key, Text, Text]


class Comparison(Protocol):
    """What became of one answer against another."""

    @property
    def swapped(self) -> Self:
        """The same seen from the other answer."""
        ...


C = TypeVar("C", bound=Comparison)


def by_duels(
    groups: Sequence[Candidates],
    *,
    key: Callable[[Candidates], Key | None],
    compare: Callable[[Sequence[Duel]], Mapping[Duel, C]],
    result: Callable[[Sequence[C]], Scored],
) -> list[tuple[Scored, ...]]:
    """key: None for a group that lacks the reference answer it needs. compare: asked once, for all duels."""
    duels: dict[Duel, None] = {}
    keys = [key(group) for group in groups]
    for its_key, group in zip(keys, groups, strict=True):
        for one, other in combinations(dict.fromkeys(group.answers), 2):
            if its_key is not None and (its_key, other, one) not in duels:
                duels[its_key, one, other] = None
    found = dict(compare(list(duels)))
    found |= {(its_key, other, one): compared.swapped for (its_key, one, other), compared in found.items()}

    def results(its_key: Key | None, group: Candidates) -> tuple[Scored, ...]:
        if its_key is None:
            return tuple(Unscored(no_reference()) for _ in group.answers)
        distinct = list(dict.fromkeys(group.answers))
        if len(distinct) < 2:
            return tuple(Unscored("a pairwise judge needs another answer to compare it with") for _ in group.answers)
        by_answer = {
            answer: result([found[its_key, answer, other] for other in distinct if other != answer])
            for answer in distinct
        }
        return tuple(by_answer[answer] for answer in group.answers)

    return [results(its_key, group) for its_key, group in zip(keys, groups, strict=True)]
