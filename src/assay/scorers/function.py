"""A plain function of a prompt and its answers as a Scorer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import SupportsFloat

from assay.errors import InputError
from assay.records import Candidates, Text
from assay.scorers.protocol import Reward, Scored, Unscored, scored

RewardFunction = Callable[[Text, Sequence[Text]], Iterable[SupportsFloat | Scored]]


class FunctionScorer:
    """Calls `function(prompt, answers)` once a group; it gives a number for each answer, or Reward or Unscored.

    fingerprint: what the rewards depend on, in the caller's words ("my_rule/2"). Without one, each FunctionScorer has
    its own: nobody can see from outside whether the same function with other globals gives other rewards.
    """

    def __init__(self, function: RewardFunction, *, name: str | None = None, fingerprint: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.fingerprint = fingerprint or f"function:{self.name}:{secrets.token_hex(8)}"

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [
            tuple(self._result(one, group) for one in self.function(group.prompt, group.answers)) for group in groups
        ]

    def _result(self, given: SupportsFloat | Scored, group: Candidates) -> Scored:
        if isinstance(given, Reward | Unscored):
            return given
        try:
            return scored(float(given))
        except (TypeError, ValueError):
            raise InputError(
                f"{self.name} gave {given!r} for an answer of {group.id}. Give a number for each answer, or "
                "Unscored(reason) where there is none."
            ) from None
