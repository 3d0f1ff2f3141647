"""Which length rule is the one to beat: the longest answer, or the shortest where people prefer brevity.

Knows the findings of an audit; measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthRule:
    """name: which answer always wins; share: how often that is right; beyond: the finding of accuracy beyond it."""

    name: Literal["longest", "shortest"]
    share: float
    beyond: Literal["accuracy_beyond_length", "accuracy_beyond_shortest"]

    @property
    def words(self) -> str:
        return f"“{self.name} wins”"

    @property
    def answer(self) -> str:
        """The answer it takes of two."""
        return "the longer answer" if self.name == "longest" else "the shorter answer"


def rule_to_beat(longest: Finding | None) -> LengthRule | None:
    """The stronger of the two rules by the finding `length_baseline`; None where that is unknown.

    Equal lengths count half for either rule, so one is right exactly where the other is wrong.
    """
    if longest is None or longest.known is None:
        return None
    if longest.known >= 0.5:
        return LengthRule(name="longest", share=longest.known, beyond="accuracy_beyond_length")
    return LengthRule(name="shortest", share=1 - longest.known, beyond="accuracy_beyond_shortest")
