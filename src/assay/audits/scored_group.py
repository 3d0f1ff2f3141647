"""Candidates under one prompt with what scorers gave them: what an audit of whole groups is made on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.records import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGroup:
    """One group. rewards: by seed, one an answer, NaN for one that is not finite, None for one that was not taken.

    cluster: the prompt group it varies with.
    """

    candidates: Candidates
    rewards: Mapping[int, Sequence[float | None]]
    cluster: str
