"""Labelled pairs with votes whose making is known: who reads how well, who is drawn left, which labels are turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assay.records import Pair, PairScore, Vote
from tests.audits.planted import make_pairs

ANNOTATORS = 10


def voted(
    count: int = 1000,
    *,
    votes: int = 3,
    reading: float | None = None,
    left: float = 0.0,
    blind: bool = False,
    turned: float = 0.0,
    spread: float = 3.0,
    seed: int = 0,
) -> tuple[list[Pair], list[PairScore], np.ndarray]:
    """Pairs labelled by the majority of their votes, scores of a calibrated reward, and which labels were then turned.

    Every vote falls as the margin has it, so that people differ on close pairs; or, with `reading`, one answer is the
    right one and each vote finds it with that chance, on every pair alike.
    left: chance that annotator a3 takes the left answer whatever stands there. blind: annotator a4 votes by coin.
    """
    rng = np.random.default_rng([seed, 31])
    pairs, scores, turns = [], [], rng.random(count) < turned
    for index, pair in enumerate(make_pairs(count, seed=seed)):
        margin = float(rng.normal() * spread)
        chance = 1 / (1 + np.exp(-margin))
        if reading is not None:
            chance = reading if rng.random() < chance else 1 - reading
        ballots = [_vote(rng, who, chance, left, blind) for who in rng.choice(ANNOTATORS, votes, replace=False)]
        said = replace(pair, votes=tuple(ballots))
        for_chosen = sum(vote.choice == "chosen" for vote in ballots)
        other = (2 * for_chosen < votes) ^ bool(turns[index])
        pairs.append(said.swapped() if other else said)
        reward = (0.0, margin) if other else (margin, 0.0)
        scores.append(PairScore(pair_id=pair.id, chosen=reward[0], rejected=reward[1]))
    return pairs, scores, turns


def _vote(rng: np.random.Generator, who: int, chance: float, left: float, blind: bool) -> Vote:
    """One vote, which falls to the first answer with this chance."""
    choice = "chosen" if rng.random() < (0.5 if blind and who == 4 else chance) else "rejected"
    shown_left = "chosen" if rng.random() < 0.5 else "rejected"
    if who == 3 and rng.random() < left:
        choice = shown_left
    return Vote(choice=choice, annotator=f"a{who}", shown_left=shown_left)


def without_votes(pairs: Sequence[Pair]) -> list[Pair]:
    return [replace(pair, votes=()) for pair in pairs]
