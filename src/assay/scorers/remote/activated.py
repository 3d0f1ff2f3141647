"""Whether a server's rewards passed a sigmoid or a softmax: figures of rewards, and what to do about them.

A reward squeezed into 0 to 1 still ranks, but margins are gone where it saturates, calibration is of something else,
and a softmax over one label is 1 whatever the text. Knows numbers; asks no server.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.findings.vocabulary import Meaning

if TYPE_CHECKING:
    from assay.findings.finding import Finding, Judgement

ENOUGH = 20  # rewards: fewer lie within 0 and 1 by chance too often to say anything
REWARDS_WITHIN_0_1 = Meaning(
    name="rewards_within_0_1",
    unit="share",
    why="Share of the endpoint's rewards that lie between 0 and 1. If all do, they are probably not rewards but "
    "what a sigmoid or softmax made of them: margins shrink to nothing where it saturates.",
    title="Rewards between 0 and 1",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
REMOTE_FIGURES: tuple[Meaning, ...] = (REWARDS_WITHIN_0_1,)


@dataclass(slots=True)
class RewardRange:
    """Counts over all rewards of distinct rows a server gave. within: between 0 and 1; ones: exactly 1."""

    n: int = 0
    within: int = 0
    ones: int = 0

    def add(self, rewards: Iterable[float]) -> None:
        for reward in rewards:
            self.n += 1
            self.within += 0.0 <= reward <= 1.0
            self.ones += reward == 1.0

    @property
    def suspect(self) -> bool:
        """Whether every reward lies where an activation puts it, and there are enough of them to say so."""
        return self.n == self.within and (self.n >= ENOUGH or (self.n == self.ones and self.n > 1))

    def finding(self, *, cleared: bool, way_out: str) -> Finding | None:
        """The figure, None without rewards. cleared: the server was seen to give others with its activation on."""
        from assay.findings.finding import measured  # not above: it brings scipy

        if not self.n:
            return None
        found = measured(REWARDS_WITHIN_0_1, self.within / self.n, n=self.n)
        if self.suspect and not cleared:
            seen = (
                "exactly 1: a softmax over one label"
                if self.ones == self.n
                else "between 0 and 1: a sigmoid or softmax"
            )
            words = f"All {self.n:,} rewards are {seen}. For raw rewards {way_out}."
            verdict: Judgement = "problem" if self.ones == self.n else "warning"
            detail = {"ones": self.ones, "way_out": words}
            return replace(found, verdict=verdict, why=f"{found.why} {words}", detail=detail)
        return replace(found, verdict="too_few" if self.n < ENOUGH else "ok")


def passed_an_activation(raw: float, activated: float) -> bool:
    """Whether a row's reward, asked for without activation, is all the same what it is with one."""
    return math.isclose(raw, activated, rel_tol=1e-4, abs_tol=1e-6)
