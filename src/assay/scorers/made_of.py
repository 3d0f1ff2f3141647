"""What a scorer made of others hands on of them: within what rewards compare, what they read, keep, cost and noticed.

An ensemble, a combination and a correction ask no judge and read no reference answer themselves; what they are made of
may, and nothing of that may be lost on the way up. Knows the protocol; knows no kind of scorer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from assay.scorers.judge.spent_calls import JUDGE_CALLS, Spent, calls_finding, together
from assay.scorers.protocol import Scorer, keeps_replies, noticed, unit_of

if TYPE_CHECKING:
    from assay.findings.finding import Finding


class MadeOf(ABC):
    """Base of a scorer made of others: says which they are in `parts`, by the name people know each by."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Scorer]: ...

    @property
    def unit(self) -> Literal["prompt", "pair"]:
        return "pair" if any(unit_of(one) == "pair" for one in self.parts.values()) else "prompt"

    @property
    def reads_source(self) -> bool:
        return any(getattr(one, "reads_source", False) for one in self.parts.values())

    @property
    def keeps_replies(self) -> bool:
        return all(keeps_replies(one) for one in self.parts.values())

    @property
    def spent(self) -> Spent:
        """Of all judges among the parts so far; a part that is there under two names counts once."""
        return together(_spent(one) for one in {id(one): one for one in self.parts.values()}.values())

    def noticed(self) -> list[Finding]:
        """The calls of all judges as one figure, and what else the parts noticed; of two alike, the graver."""
        by_part = {name: _spent(one).text for name, one in self.parts.items() if _spent(one).calls}
        found: dict[tuple[str, str], Finding] = {}
        for name, one in self.parts.items():
            for finding in noticed(one):
                key = finding.name, str(finding.slice)
                if finding.name != JUDGE_CALLS.name and (key not in found or found[key].verdict != "problem"):
                    found[key] = replace(finding, detail={**finding.detail, "of": name})
        return [*calls_finding(self.spent, 0, by_part=by_part), *found.values()]


def _spent(scorer: Scorer) -> Spent:
    """What a scorer's judges took; nothing of one that asks none."""
    found = getattr(scorer, "spent", None)
    return found if isinstance(found, Spent) else Spent()
