"""Rewards of answers as they were not given: under another pair's prompt, and changed. What parts of an audit read.

Plain arrays beside ids of pairs; who had them scored is not known here. Shapes: S seeds, M pairs rescored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.stats.intervals import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """Answers of each pair under its partner's prompt.

    pair_ids, partners: (M,) each; a partner's partner is the pair itself. chosen, rejected: rewards of a pair's answers
    under its partner's prompt, (S, M), not finite where there is none. unmatched: pairs for which no partner was left.
    """

    pair_ids: tuple[str, ...]
    partners: tuple[str, ...]
    chosen: Array
    rejected: Array
    unmatched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What one change of answers did.

    pair_ids: (M,). changed: rewards after the change, one row (S, M) for each side that was changed; texts: what the
    answers then said, by side, for the worst examples. unchanged: pairs that the change leaves as they are.
    """

    pair_ids: tuple[str, ...]
    changed: Mapping[str, Array]
    texts: Mapping[str, tuple[str, ...]]
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """All that was rescored. probes: by name of the probe. skipped: pairs sampled whose answers are in a script that
    the rules of the probes do not know. why_not: why nothing could be asked of this scorer, "" where it could."""

    swapped: Swapped | None = None
    probes: Mapping[str, Probed] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    skipped: int = 0
    why_not: str = ""
