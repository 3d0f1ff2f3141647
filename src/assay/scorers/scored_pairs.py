"""Pairs put to a scorer: as groups of candidates, each distinct answer once, and each pair gets its own two results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.artifacts.files import dumps
from assay.errors import InputError
from assay.records import Candidates, Pair, PairScore, Text
from assay.scorers.protocol import CHUNK, Reward, Scored, Scorer, Unscored, score_groups, unit_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPair:
    """What one scorer gave the two answers of one pair."""

    pair_id: str
    chosen: Scored
    rejected: Scored

    @property
    def margin(self) -> float | None:
        """reward(chosen) - reward(rejected); None if one of them is missing."""
        if isinstance(self.chosen, Reward) and isinstance(self.rejected, Reward):
            return self.chosen.value - self.rejected.value
        return None

    @property
    def missing(self) -> Unscored | None:
        """Why the pair has no margin, or None; an answer that was not taken counts before one without a number."""
        found = [side for side in (self.chosen, self.rejected) if isinstance(side, Unscored)]
        # False comes before True.
        return min(found, key=lambda side: side.not_finite, default=None)

    @property
    def unread(self) -> str | None:
        """Why the scorer could not take one of the answers, or None: such a pair stands apart from an audit."""
        return None if self.missing is None or self.missing.not_finite else self.missing.reason

    @property
    def numbers(self) -> PairScore:
        """The two rewards as an audit takes them; NaN for what is no finite reward, which an audit counts as wrong."""
        chosen, rejected = (
            side.value if isinstance(side, Reward) else math.nan for side in (self.chosen, self.rejected)
        )
        return PairScore(pair_id=self.pair_id, chosen=chosen, rejected=rejected)


PairScores = Sequence[PairScore] | Sequence[ScoredPair]


def score_pairs(scorer: Scorer, pairs: Sequence[Pair], *, chunk: int = CHUNK) -> list[ScoredPair]:
    """One ScoredPair for each pair, in order; pairs under one prompt share it, and equal answers are scored once.

    chunk: prompts put to the scorer at once. Raises InputError if the scorer does not keep its promises.
    """
    if unit_of(scorer) == "pair":
        return [
            ScoredPair(pair_id=group.id, chosen=chosen, rejected=rejected)
            for group, (chosen, rejected) in score_groups(scorer, map(_of_one, pairs), chunk=chunk)
        ]
    if _reads_source(scorer):
        return _by_source(scorer, pairs, chunk)
    found: dict[tuple[Text, Text], Scored] = {}
    for group, results in score_groups(scorer, as_candidates(pairs), chunk=chunk):
        found.update(zip(((group.prompt, answer) for answer in group.answers), results, strict=True))
    return [
        ScoredPair(pair_id=p.id, chosen=found[p.prompt, p.chosen], rejected=found[p.prompt, p.rejected]) for p in pairs
    ]


def _by_source(scorer: Scorer, pairs: Sequence[Pair], chunk: int) -> list[ScoredPair]:
    """As score_pairs, for a scorer to which one prompt with another source (a reference answer) is another question."""
    asked = _questions(pairs)
    found: dict[int, ScoredPair] = {}
    scored = score_groups(scorer, (one for _, one in asked), chunk=chunk)
    for (places, _), (group, results) in zip(asked, scored, strict=True):
        result = dict(zip(group.answers, results, strict=True))
        for place in places:
            pair = pairs[place]
            found[place] = ScoredPair(pair_id=pair.id, chosen=result[pair.chosen], rejected=result[pair.rejected])
    return [found[place] for place in range(len(pairs))]


def score_items(scorer: Scorer, items: Sequence[Pair | Candidates]) -> list[ScoredPair | tuple[Scored, ...]]:
    """A ScoredPair for each pair and a tuple for each group of candidates, in the order given.

    Raises InputError for an item that is neither.
    """
    odd = next((place for place, item in enumerate(items) if not isinstance(item, Pair | Candidates)), None)
    if odd is not None:
        raise InputError(f"items[{odd}] is a {type(items[odd]).__name__}. Give Pair or Candidates (assay.records).")
    pairs = iter(score_pairs(scorer, [item for item in items if isinstance(item, Pair)]))
    groups = score_groups(scorer, (item for item in items if isinstance(item, Candidates)))
    return [next(pairs) if isinstance(item, Pair) else next(groups)[1] for item in items]


def as_candidates(pairs: Sequence[Pair]) -> list[Candidates]:
    """Pairs as groups: one group for each prompt, in order of first appearance, each distinct answer in it once.

    A group is called as the first of its pairs.
    """
    groups: dict[Text, tuple[str, dict[Text, None]]] = {}
    for pair in pairs:
        _, answers = groups.setdefault(pair.prompt, (pair.id, {}))
        answers.update({pair.chosen: None, pair.rejected: None})
    return [Candidates(id=first, prompt=prompt, answers=tuple(answers)) for prompt, (first, answers) in groups.items()]


def groups_for(scorer: Scorer, pairs: Sequence[Pair]) -> list[Candidates]:
    """Pairs as the groups within which this scorer's rewards compare, with their sources where it reads them."""
    if unit_of(scorer) == "pair":
        return [_of_one(pair) for pair in pairs]
    return [group for _, group in _questions(pairs)] if _reads_source(scorer) else as_candidates(pairs)


def _questions(pairs: Sequence[Pair]) -> list[tuple[list[int], Candidates]]:
    """One group for each prompt and source, with the places of its pairs."""
    alike: dict[tuple[Text, bytes], list[int]] = {}
    for place, pair in enumerate(pairs):
        alike.setdefault((pair.prompt, dumps(dict(pair.source))), []).append(place)
    found = ((places, [pairs[place] for place in places]) for places in alike.values())
    return [(places, replace(as_candidates(some)[0], source=some[0].source)) for places, some in found]


def _of_one(pair: Pair) -> Candidates:
    return Candidates(id=pair.id, prompt=pair.prompt, answers=(pair.chosen, pair.rejected), source=pair.source)


def _reads_source(scorer: Scorer) -> bool:
    return bool(getattr(scorer, "reads_source", False))
