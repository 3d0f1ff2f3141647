"""What watching takes of one request: its rewards, a number for the prompt of each, and how many rows have none, and
why. No text: a prompt is a number of this process, from which it cannot be had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.scorers.protocol import Reward, Scored, Unscored
from assay.serve.refusal import NOT_RUN

Outcome = Literal["rewarded", "too_long", "not_finite", "not_run", "unread", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("rewarded", "too_long", "not_finite", "not_run", "unread", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRows:
    """values, prompts: of the rows with a reward, in their order. outcomes: of all rows."""

    values: tuple[float, ...]
    prompts: tuple[int, ...]
    outcomes: Counter[Outcome]

    @property
    def rows(self) -> int:
        return self.outcomes.total()


def watched(results: Sequence[Scored], families: Sequence[Hashable | None]) -> WatchedRows:
    """The rows of a request that was answered, or refused for one of them."""
    values, prompts, outcomes = [], [], Counter[Outcome]()
    for result, family in zip(results, families, strict=True):
        if isinstance(result, Reward):
            values.append(result.value)
            prompts.append(hash(family))
        outcomes[outcome_of(result)] += 1
    return WatchedRows(values=tuple(values), prompts=tuple(prompts), outcomes=outcomes)


def outcome_of(result: Scored) -> Outcome:
    if not isinstance(result, Unscored):
        return "rewarded"
    if result.reason == NOT_RUN:
        return "not_run"
    if result.too_long:
        return "too_long"
    return "not_finite" if result.not_finite else "unread"
