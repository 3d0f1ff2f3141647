"""Looks: how often criteria were held against evidence, how often that was planned, what error rate each may spend.

Whoever decides again after every change, on the same held-out pairs or on more of them, is wrong oftener than one look
is. 1) A plan of looks shares the error rate among them. 2) Every look is a line of a ledger, the same evidence under
the same criteria being the same look. 3) A look is decided by intervals at its own level. Knows figures' intervals;
knows no criterion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.looks_body import LooksBody
from assay.errors import GateError
from assay.findings.finding import Finding
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.alpha_spending import Spending, level_of, shares
from assay.stats.interval_level import at_level
from assay.stats.intervals import Interval, ending

MOST_LOOKS = 1000
NOTHING = 1e-12  # shares below it are rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlan:
    """How many looks are planned, how they share the error rate, and the file that counts them (None: the default)."""

    planned: int
    spending: Spending = "equal"
    ledger: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look. number: from 1. plan: None where none was made. share: of the error rate, which it may spend; 0 where
    nothing is left. next_share: what the look after it may spend, None where there is none. ledger: what counts it."""

    number: int
    share: float
    plan: LookPlan | None = None
    next_share: float | None = None
    ledger: Path | None = None

    @property
    def spent(self) -> bool:
        """Whether no error rate is left for it."""
        return self.share <= NOTHING

    def to_body(self) -> LooksBody:
        plan = self.plan
        return LooksBody(
            number=self.number,
            planned=plan.planned if plan else None,
            spending=plan.spending if plan else None,
            share=self.share,
            ledger=str(self.ledger),
        )

    def seen(self, found: Finding) -> Finding:
        """The finding with its interval as this look has it."""
        return at_share(found, self.share)

    def seen_next(self, found: Finding) -> Finding | None:
        """The finding with the interval that the next look would have of the same evidence; None where none is left."""
        return None if self.next_share is None else at_share(found, self.next_share)


def take(number: int, plan: LookPlan | None, *, spent: float, ledger: Path | None = None) -> Look:
    """The look of this number. spent: the shares that the other looks in the ledger could spend, added up.

    Without a plan each look is decided as if it were the only one. A plan that was changed on the way gets no more than
    what is left.
    """
    if plan is None:
        return Look(number=number, share=1.0, next_share=1.0, ledger=ledger)
    planned = shares(plan.planned, plan.spending)
    left = max(1.0 - spent, 0.0)
    share = min(planned[number - 1], left) if number <= plan.planned else 0.0
    after = min(planned[number], left - share) if number < plan.planned else 0.0
    return Look(
        number=number,
        share=share if share > NOTHING else 0.0,
        plan=plan,
        next_share=after if after > NOTHING else None,
        ledger=ledger,
    )


def at_share(found: Finding, share: float) -> Finding:
    """The finding with the interval that leaves `share` of the error that its own leaves, within the figure's range."""
    if share >= 1 or share <= NOTHING or found.known is None or not isinstance(found.interval, Interval):
        return found
    freedom = found.detail.get("freedom")
    clusters = found.detail.get("clusters")
    degrees = float(freedom) if freedom else max(float(clusters) - 1, 1.0) if clusters else float("inf")
    wide = at_level(found.interval, found.known, level=level_of(found.interval.level, share), freedom=degrees)
    return replace(found, interval=ending(wide, *EVERY_FIGURE[found.name].range))


def read_plan(value: object, *, name: str, folder: Path | None = None) -> LookPlan:
    """A plan from YAML: a number, or `planned` with `spending` and `ledger`. folder: from which the ledger is named.

    Raises GateError that says what it got.
    """
    options: Mapping[object, object] = value if isinstance(value, Mapping) else {"planned": value}
    strange = set(options) - {"planned", "spending", "ledger"}
    if strange:
        raise GateError(f"{name}: looks: unknown keys {sorted(map(str, strange))}. Known: planned, spending, ledger.")
    planned, spending = options.get("planned"), options.get("spending", "equal")
    if not isinstance(planned, int) or isinstance(planned, bool) or not 1 <= planned <= MOST_LOOKS:
        raise GateError(f"{name}: looks: {planned!r} is no number of looks. Write how many are planned, such as 3.")
    if spending not in ("equal", "late"):
        raise GateError(f"{name}: looks: spending is {spending!r}; it takes equal or late.")
    ledger = options.get("ledger")
    if ledger is not None and not isinstance(ledger, str):
        raise GateError(f"{name}: looks: ledger is {ledger!r}; it takes a file, such as looks.jsonl.")
    place = None if ledger is None else (folder or Path()) / ledger
    return LookPlan(planned=planned, spending=spending, ledger=place)
