"""The votes of the audited pairs as columns of numbers. Knows pairs; computes no figure.

Shapes: V votes that are no abstentions, N pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.records import Pair
from assay.stats.dawid_skene import FIRST, LEFT, RIGHT, SECOND, TIE, UNKNOWN_PLACE
from assay.stats.intervals import Array, Codes

SAYS = {"chosen": FIRST, "rejected": SECOND, "tie": TIE}
PLACE = {"chosen": LEFT, "rejected": RIGHT, None: UNKNOWN_PLACE}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVotes:
    """pair_V: which pair, from 0. says_V: 0 its chosen answer, 1 its rejected one, 2 a tie.

    place_V: 0 where chosen stood left, 1 right, 2 unknown. annotator_V: place in `names`; -1 where nobody is named.
    pairs: how many there are.
    """

    pair_V: Codes
    says_V: Codes
    place_V: Codes
    annotator_V: Codes
    names: tuple[str, ...]
    pairs: int

    @property
    def count(self) -> int:
        return int(self.pair_V.size)

    @property
    def rater_V(self) -> Codes:
        """The annotators with all unnamed votes as one more, who is then everybody at once."""
        return np.where(self.annotator_V < 0, len(self.names), self.annotator_V)

    def for_side(self, side: int) -> Codes:
        """Votes for the chosen (0) or the rejected answer (1) of each pair, (N,)."""
        return np.bincount(self.pair_V[self.says_V == side], minlength=self.pairs)

    def by_turn(self) -> Array:
        """Votes of each pair as a row: 1 for chosen, 0 for rejected, 0.5 for a tie, NaN beyond its last; (N, most)."""
        order = np.argsort(self.pair_V, kind="stable")
        pair = self.pair_V[order]
        size = np.bincount(pair, minlength=self.pairs)
        turn = np.arange(pair.size) - np.repeat(np.cumsum(size) - size, size)
        rows = np.full((self.pairs, int(size.max(initial=0))), np.nan)
        rows[pair, turn] = np.array([1.0, 0.0, 0.5])[self.says_V[order]]
        return rows


def label_votes(pairs: Sequence[Pair]) -> LabelVotes:
    """The votes in order of the pairs; abstentions say nothing and are left out."""
    codes: dict[str, int] = {}
    rows: list[tuple[int, int, int, int]] = []
    for index, pair in enumerate(pairs):
        for vote in pair.votes:
            if vote.choice != "abstain":
                who = -1 if vote.annotator is None else codes.setdefault(vote.annotator, len(codes))
                rows.append((index, SAYS[vote.choice], PLACE[vote.shown_left], who))
    columns = np.array(rows, dtype=np.intp).reshape(-1, 4)
    return LabelVotes(
        pair_V=columns[:, 0],
        says_V=columns[:, 1],
        place_V=columns[:, 2],
        annotator_V=columns[:, 3],
        names=tuple(codes),
        pairs=len(pairs),
    )
