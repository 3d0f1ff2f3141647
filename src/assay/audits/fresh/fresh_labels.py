"""Votes on fresh pairs as labels: which answer most prefer, whether they decided, and what the reward made of it.

A majority decides as in the contract, so that fresh and held-out accuracy mean the same. Knows votes and margins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.stats.intervals import Array

Said = Literal["a", "b", "tie"]
Margins = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Votes on one pair, abstentions left out."""

    a: int = 0
    b: int = 0
    ties: int = 0

    @classmethod
    def of(cls, said: Iterable[Said]) -> Tally:
        votes = list(said)
        return cls(a=votes.count("a"), b=votes.count("b"), ties=votes.count("tie"))

    @property
    def votes(self) -> int:
        return self.a + self.b + self.ties

    def preferred(self, min_agreement: float) -> Literal["a", "b"] | None:
        """The answer that most prefer; None at a tie, or where fewer than `min_agreement` of the votes are for it."""
        if self.a == self.b or max(self.a, self.b) < min_agreement * self.votes:
            return None
        return "a" if self.a > self.b else "b"


def right(preferred: Literal["a", "b"], margins: Margins) -> float:
    """Share of the reward's seeds that prefer the same answer. A tie and a reward that is not finite are wrong."""
    sign = 1 if preferred == "a" else -1
    return float(np.mean([margin is not None and sign * margin > 0 for margin in margins.values()]))


def right_by_judge(judged: float | None, margins: Margins) -> float:
    """The same by a judge's margin: 1/2 where it calls the two equal, NaN where it gave none."""
    if judged is None:
        return float("nan")
    return 0.5 if judged == 0 else right("a" if judged > 0 else "b", margins)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPair:
    """One fresh pair with all that is known of it. tally: None where nobody voted. judged: a judge's margin of a over
    b; None where it gave none, or there is no judge."""

    group: str
    drawn: bool  # in the random sample; only of these anything is estimated
    margins: Margins
    tally: Tally | None = None
    judged: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Labelled pairs as arrays, (N,). label: NaN where nobody of the random sample voted."""

    label: Array
    decided: npt.NDArray[np.bool_]
    judge: Array
    groups: list[str]


def columns(pairs: Sequence[LabelledPair], *, min_agreement: float) -> Columns:
    """Votes on pairs outside the random sample are left out here: who chose them looked at the reward."""
    label, decided = [], []
    for pair in pairs:
        asked = pair.drawn and pair.tally is not None and pair.tally.votes > 0
        preferred = pair.tally.preferred(min_agreement) if asked and pair.tally is not None else None
        decided.append(preferred is not None)
        label.append(right(preferred, pair.margins) if preferred is not None else 0.0 if asked else float("nan"))
    return Columns(
        label=np.array(label),
        decided=np.array(decided, dtype=np.bool_),
        judge=np.array([right_by_judge(pair.judged, pair.margins) for pair in pairs]),
        groups=[pair.group for pair in pairs],
    )
