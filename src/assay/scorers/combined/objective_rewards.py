"""Every objective's rewards of every answer in the named files, standardised on the files that set the scale.

1. Each scorer sees all pairs once. 2. Its mean over answers and its spread within prompts are its scale, as an
ensemble's members have theirs. Pairs of which one objective cannot score an answer are left out and counted.
Letters: N pairs, K objectives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.errors import InputError
from assay.records import Pair, Text
from assay.scorers.protocol import Scorer
from assay.scorers.scored_pairs import score_pairs
from assay.stats.intervals import Array, Codes, cluster_codes

Use = Literal["scale", "weights", "validation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedPair:
    """A pair, what it is used for, and by which objective it was judged; None for an overall preference."""

    pair: Pair
    use: Use
    objective: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRewards:
    """Standardised rewards. chosen, rejected: (N, K). mean, sd: what they were standardised by, (K,).

    left_out: pairs that one objective could not score.
    """

    names: tuple[str, ...]
    used: tuple[UsedPair, ...]
    chosen: Array
    rejected: Array
    mean: Array
    sd: Array
    left_out: int

    def places(self, use: Use, objective: str | None = None) -> list[int]:
        """Which pairs are for that use, and by that objective where one is named."""
        return [
            n for n, one in enumerate(self.used)
            if one.use == use and (objective is None or one.objective == objective)
        ]  # fmt: skip

    def margins(self, places: Sequence[int]) -> Array:
        return np.asarray(self.chosen[list(places)] - self.rejected[list(places)])

    def prompts(self, places: Sequence[int]) -> Codes:
        return cluster_codes([repr(self.used[n].pair.prompt) for n in places])

    def answers(self, places: Sequence[int]) -> tuple[Array, Codes]:
        """Each distinct answer of those pairs once: rewards (A, K) and its prompt's number (A,)."""
        prompts: dict[Text, int] = {}
        found: dict[tuple[int, Text], Array] = {}
        for n in places:
            pair = self.used[n].pair
            code = prompts.setdefault(pair.prompt, len(prompts))
            found[code, pair.chosen] = self.chosen[n]
            found[code, pair.rejected] = self.rejected[n]
        values = np.array(list(found.values())) if found else np.zeros((0, len(self.names)))
        return values, np.array([code for code, _ in found], dtype=np.intp)


def objective_rewards(scorers: Mapping[str, Scorer], used: Sequence[UsedPair]) -> ObjectiveRewards:
    """Raises InputError where an objective cannot tell the answers of any prompt apart, so has no scale."""
    pairs = [one.pair for one in used]
    raw_KN2 = np.array(
        [
            [(found.numbers.chosen, found.numbers.rejected) for found in score_pairs(one, pairs)]
            for one in scorers.values()
        ]
    ).reshape(len(scorers), len(pairs), 2)
    known = np.isfinite(raw_KN2).all(axis=(0, 2))
    kept = tuple(one for one, there in zip(used, known, strict=True) if there)
    chosen, rejected = raw_KN2[:, known, 0].T, raw_KN2[:, known, 1].T
    zero, one = np.zeros(len(scorers)), np.ones(len(scorers))
    raw = ObjectiveRewards(
        names=tuple(scorers), used=kept, chosen=chosen, rejected=rejected, mean=zero, sd=one,
        left_out=int((~known).sum()),
    )  # fmt: skip
    mean, sd = _scale(raw)
    return ObjectiveRewards(
        names=raw.names, used=kept, chosen=(chosen - mean) / sd, rejected=(rejected - mean) / sd, mean=mean, sd=sd,
        left_out=raw.left_out,
    )  # fmt: skip


def _scale(raw: ObjectiveRewards) -> tuple[Array, Array]:
    """Mean over answers, and spread within prompts, (K,): rewards are compared within prompts and nowhere else."""
    values, codes = raw.answers(raw.places("scale"))
    if not len(values):
        raise InputError("combine: no pair of the named files has a reward by every objective, so there is no scale.")
    counts = np.bincount(codes)
    means_GK = np.column_stack([np.bincount(codes, weights=column) for column in values.T]) / counts[:, None]
    freedom = int((counts - 1).sum())
    sd = np.sqrt(np.square(values - means_GK[codes]).sum(axis=0) / max(freedom, 1))
    for name, spread in zip(raw.names, sd, strict=True):
        if not spread > 0:
            raise InputError(f"combine: {name} gives the answers of the named files no different rewards: no scale.")
    return np.asarray(values.mean(axis=0)), np.asarray(sd)
