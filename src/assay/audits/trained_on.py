"""What a scorer was trained on, as far as it is known: pairs to hold an audit's pairs against. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.records import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """pairs: of the training. threshold: how alike two prompts must be to count as nearly the same; None: not looked
    for."""

    pairs: Sequence[Pair]
    threshold: float | None = 0.8
