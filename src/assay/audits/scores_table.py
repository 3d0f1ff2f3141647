"""Scores and pairs brought into line: one row a seed, one column a pair. Knows no statistic.

Shapes: S seeds, N pairs with a definite label. Ties in the labels have no right order and are set aside, counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.errors import EmptyBatchError, InputError
from assay.findings.slice import OVERALL, Slice, category
from assay.records import NO_CATEGORY, Pair, PairScore, plain_text
from assay.stats.intervals import Array, Codes, cluster_codes

Mask = npt.NDArray[np.bool_]
Scores = Mapping[int, Sequence[PairScore]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """What every part of the audit reads.

    chosen, rejected: rewards, (S, N). length: of (chosen, rejected) in characters, (N, 2); tokens: the same in rendered
    tokens, or None. groups: prompt group of each pair as a number, (N,). set_aside: pairs whose label is a tie.
    """

    seeds: tuple[int, ...]
    pairs: tuple[Pair, ...]
    chosen: Array
    rejected: Array
    length: Array
    tokens: Array | None
    groups: Codes
    categories: tuple[str, ...]
    set_aside: int

    @property
    def n(self) -> int:
        return len(self.pairs)

    @property
    def margin(self) -> Array:
        """reward(chosen) - reward(rejected), (S, N); not finite where a reward is not."""
        with np.errstate(invalid="ignore"):
            return self.chosen - self.rejected

    @property
    def finite(self) -> Mask:
        """Pairs whose rewards are finite, (S, N)."""
        return np.isfinite(self.chosen) & np.isfinite(self.rejected)

    @property
    def correct(self) -> Array:
        """1.0 where chosen is strictly above rejected and both are finite, else 0.0; (S, N)."""
        return (self.finite & (self.chosen > self.rejected)).astype(np.float64)

    @property
    def length_difference(self) -> Array:
        """Characters of chosen minus characters of rejected, (N,)."""
        return np.asarray(self.length[:, 0] - self.length[:, 1])

    def slices(self) -> list[tuple[Slice, Mask]]:
        """All pairs, then one slice per category in order of name, where categories are given."""
        found: list[tuple[Slice, Mask]] = [(OVERALL, np.ones(self.n, dtype=bool))]
        names = sorted(set(self.categories))
        if names and names != [NO_CATEGORY]:
            column = np.asarray(self.categories)
            found += [(category(name), column == name) for name in names]
        return found


def align(
    scores: Scores,
    pairs: Sequence[Pair],
    groups: Sequence[str],
    tokens: Mapping[str, tuple[int, int]] | None = None,
) -> Aligned:
    """Put every seed's scores in the order of `pairs`.

    tokens: pair id -> rendered tokens of (chosen, rejected). Raises InputError if a pair has no score or no group,
    a score no pair, or an id stands twice; EmptyBatchError if nothing is left to audit.
    """
    if not scores:
        raise EmptyBatchError("audit: no scores given. Pass at least one seed's scores.")
    if len(groups) != len(pairs):
        raise InputError(f"audit: {len(pairs)} pairs but {len(groups)} groups. Give one group name per pair.")
    twice = [id_ for id_, count in Counter(pair.id for pair in pairs).items() if count > 1]
    if twice:
        raise InputError(f"audit: pair id {twice[0]!r} stands {len(twice)} times or more. Give every pair its own id.")
    kept = [index for index, pair in enumerate(pairs) if pair.label == "chosen"]
    if not kept:
        raise EmptyBatchError("audit: no pair with a definite label. There is nothing to be right or wrong about.")
    # A reward that was not finite stands as null in an artifact; as float64 it is not a number again.
    rows = [_in_order(seed, scores[seed], pairs) for seed in sorted(scores)]
    chosen_rejected = np.array(rows, dtype=np.float64)[:, kept]
    held = tuple(pairs[index] for index in kept)
    return Aligned(
        seeds=tuple(sorted(scores)),
        pairs=held,
        chosen=chosen_rejected[:, :, 0],
        rejected=chosen_rejected[:, :, 1],
        length=np.array([[len(plain_text(p.chosen)), len(plain_text(p.rejected))] for p in held], dtype=np.float64),
        tokens=_tokens(held, tokens),
        groups=cluster_codes([groups[index] for index in kept]),
        categories=tuple(pair.category or NO_CATEGORY for pair in held),
        set_aside=len(pairs) - len(kept),
    )


def _in_order(seed: int, scores: Sequence[PairScore], pairs: Sequence[Pair]) -> list[tuple[float, float]]:
    by_id: dict[str, PairScore] = {}
    for score in scores:
        if score.pair_id in by_id:
            raise InputError(f"audit: seed {seed} scores pair {score.pair_id!r} twice. Keep one score per pair.")
        by_id[score.pair_id] = score
    missing = [pair.id for pair in pairs if pair.id not in by_id]
    if missing:
        raise InputError(
            f"audit: seed {seed} has no score for {len(missing)} of {len(pairs)} pairs, the first is {missing[0]!r}. "
            "Score the same pairs that are audited."
        )
    if len(by_id) > len(pairs):
        extra = next(iter(by_id.keys() - {pair.id for pair in pairs}))
        raise InputError(f"audit: seed {seed} scores pair {extra!r}, which is not among the pairs audited.")
    return [(by_id[pair.id].chosen, by_id[pair.id].rejected) for pair in pairs]


def _tokens(pairs: Sequence[Pair], tokens: Mapping[str, tuple[int, int]] | None) -> Array | None:
    if tokens is None:
        return None
    missing = [pair.id for pair in pairs if pair.id not in tokens]
    if missing:
        raise InputError(
            f"audit: no token counts for pair {missing[0]!r} and {len(missing) - 1} more. Give all or none."
        )
    return np.array([tokens[pair.id] for pair in pairs], dtype=np.float64)
