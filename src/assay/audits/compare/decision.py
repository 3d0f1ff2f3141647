"""From a difference to a verdict: A is better, B is better, or undecided and how many more pairs would decide.

Decided only where the clustered interval leaves out 0 and the sign-flip test over prompt groups is below 1 - level:
the interval alone is too bold where only a handful of pairs differ, the test alone knows nothing of seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import stats as scipy_stats

from assay.audits.compare.accuracy_difference import Difference, smallest_seen
from assay.findings.number_text import number_text
from assay.stats.intervals import Interval
from assay.stats.power import units_to_see
from assay.stats.unknown import Unknown

Better = Literal["A", "B", "undecided"]
WANTED = 0.8  # chance of a decision that "N more pairs" means


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict, why, and, where it is undecided, how many more pairs would decide.

    more_pairs: beyond those at hand, for an 80% chance of a decision if the difference is what it looks like; None
    where no number of pairs would, or it is decided. smallest_seen: the difference that these pairs show in 80%.
    """

    verdict: Better
    reason: str
    more_pairs: int | None = None
    smallest_seen: float | None = None

    @property
    def sentence(self) -> str:
        """As people say it."""
        if self.verdict != "undecided":
            return f"{self.verdict} is better"
        return "undecided" if self.more_pairs is None else f"undecided, {self.more_pairs:,} more pairs"


def decide(found: Difference, *, level: float, same: bool = False) -> Decision:
    """The verdict on a difference. same: whether both sides are one scorer by their fingerprints."""
    if same:
        return Decision(verdict="undecided", reason="both sides are the same scorer, by their fingerprints")
    seen = smallest_seen(found, level)
    if isinstance(found.interval, Unknown):
        return Decision(verdict="undecided", reason=found.interval.reason, smallest_seen=seen)
    told = f"A minus B is {points(found.mean)} points ({span(found.interval)}), p {found.p:.2g} over prompt groups"
    if found.interval.low > 0 or found.interval.high < 0:
        if found.p <= 1 - level:
            return Decision(verdict="A" if found.mean > 0 else "B", reason=told, smallest_seen=seen)
        told += "; too few prompt groups differ for the interval to be trusted"
    more, why = more_pairs(found, level)
    return Decision(
        verdict="undecided", reason=f"{told}{f'; {why}' if why else ''}", more_pairs=more, smallest_seen=seen
    )


def more_pairs(found: Difference, level: float) -> tuple[int | None, str]:
    """Pairs beyond those at hand for an 80% chance of a decision at the difference seen; or None, and why.

    Pairs bring down the pairs' variance and leave the seeds' as it is: where the seeds alone hide the difference, more
    seeds are what is missing.
    """
    if found.mean == 0:
        return None, "the two are right equally often, so more pairs at this rate would not decide"
    if not found.pair_variance:
        return None, "how pairs vary is not known from these"
    reach = float(scipy_stats.norm.ppf(0.5 + level / 2) + scipy_stats.norm.ppf(WANTED))
    room = (found.mean / reach) ** 2 - found.seed_variance
    if room <= 0:
        return None, "the difference between seeds hides it; train more seeds rather than label more pairs"
    needed = (
        math.ceil(found.pair_variance / room)
        if found.seed_variance
        else units_to_see(found.mean, variance=found.pair_variance, level=level, power=WANTED)
    )
    # Where as many pairs as that are at hand already and still nothing is decided, luck ran against it; a tenth more
    # is the least that is worth another look.
    return max(needed - found.n, math.ceil(found.n / 10)), ""


def points(value: float) -> str:
    return number_text(100 * value, "+.1f")


def span(found: Interval) -> str:
    return f"{points(found.low)} to {points(found.high)}"
