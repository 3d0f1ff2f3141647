"""What a judge's verdicts cost: calls and tokens, counted whether a reply was asked for now or had before.

A comparison of two ways of judging at equal cost must not hang on what an earlier run left in the cache: a call is a
question that was answered, wherever its reply came from. Knows no server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, replace
from typing import TYPE_CHECKING

from assay.findings.vocabulary import Meaning

if TYPE_CHECKING:
    from assay.findings.finding import Finding

JUDGE_CALLS = Meaning(
    name="judge_calls",
    unit="values",
    why="Questions that judges answered for these rewards. Ways of judging are compared at the same number.",
    title="Calls of judges",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
JUDGE_FIGURES: tuple[Meaning, ...] = (JUDGE_CALLS,)


@dataclass(slots=True, kw_only=True)
class Spent:
    """calls: distinct questions that got a reply. sent: requests that went out, further tries too; 0 of a model here.

    read, written: tokens of questions and replies, of the calls for which they are known; untold: the other calls.
    """

    calls: int = 0
    sent: int = 0
    read: int = 0
    written: int = 0
    untold: int = 0

    def tokens(self, told: tuple[int, int] | None) -> None:
        """Of one call; None where nobody said."""
        if told is None:
            self.untold += 1
        else:
            self.read += told[0]
            self.written += told[1]

    def __sub__(self, earlier: Spent) -> Spent:
        return _by_field(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True))

    def __add__(self, other: Spent) -> Spent:
        return _by_field(a + b for a, b in zip(astuple(self), astuple(other), strict=True))

    @property
    def text(self) -> str:
        """In words.

        >>> Spent(calls=6, read=900, written=60).text
        '6 calls, 900 tokens read and 60 written'
        """
        if self.untold == self.calls:
            return f"{self.calls:,} calls, tokens unknown"
        told = f"{self.calls:,} calls, {self.read:,} tokens read and {self.written:,} written"
        return told + (f" ({self.untold:,} calls without a count)" if self.untold else "")


def together(several: Iterable[Spent]) -> Spent:
    """The sum."""
    return sum(several, Spent())


def _by_field(values: Iterable[int]) -> Spent:
    calls, sent, read, written, untold = values
    return Spent(calls=calls, sent=sent, read=read, written=written, untold=untold)


def calls_finding(spent: Spent, comparisons: int, **more: object) -> list[Finding]:
    """What rewards took so far; empty before anything was asked. more: what else stands in the detail."""
    from assay.findings.finding import measured  # not above: it brings scipy

    if not spent.calls:
        return []
    found = measured(JUDGE_CALLS, float(spent.calls), n=spent.calls)
    detail = asdict(spent) | {"comparisons": comparisons, "named": spent.text, **more}
    return [replace(found, detail=detail)]
