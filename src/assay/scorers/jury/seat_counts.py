"""What each judge of a jury did over all comparisons: decided, flipped, dissented, gave no verdict; and its finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from assay.findings.vocabulary import Meaning
from assay.scorers.judge.both_orders import Compared
from assay.scorers.protocol import Scored, Unscored

if TYPE_CHECKING:
    from assay.findings.finding import Finding, Judgement

TOLERATED, MATTERS = 0.05, 0.5  # share of a judge's comparisons without a verdict: bad luck, and a judge that is down
SILENT_JUDGE = Meaning(
    name="silent_judge",
    unit="share",
    why="Of the judge of a jury that was silent most often: share of comparisons on which it gave no verdict that "
    "could be read. What is left is the verdict of the others.",
    title="Comparisons without one judge's verdict",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
JURY_FIGURES: tuple[Meaning, ...] = (SILENT_JUDGE,)


@dataclass(slots=True)
class SeatCounts:
    """Comparisons (of a grader, answers), by what became of them. why: of the first without a verdict."""

    comparisons: int = 0
    decided: int = 0
    flipped: int = 0
    tied: int = 0
    silent: int = 0
    dissented: int = 0
    why: str = ""

    def add(self, compared: Compared, *, dissents: bool) -> None:
        self.comparisons += 1
        self.dissented += dissents
        strength = compared.strength
        if strength is None:
            self._silent(compared.why)
        elif strength:
            self.decided += 1
        elif any(vote in ("flipped_first", "flipped_second") for vote in compared.votes):
            self.flipped += 1
        else:
            self.tied += 1

    def add_grade(self, given: Scored) -> None:
        self.comparisons += 1
        if isinstance(given, Unscored):
            self._silent(given.reason)
        else:
            self.decided += 1

    def _silent(self, why: str | None) -> None:
        self.silent += 1
        self.why = self.why or (why or "")


def jury_finding(counts: Mapping[str, SeatCounts]) -> list[Finding]:
    """None before anything was compared."""
    from assay.findings.finding import measured  # not above: it brings scipy

    seen = {name: one for name, one in counts.items() if one.comparisons}
    if not seen:
        return []
    name, worst = max(seen.items(), key=lambda one: one[1].silent / one[1].comparisons)
    share = worst.silent / worst.comparisons
    detail: dict[str, object] = {"judges": {judge: asdict(one) for judge, one in seen.items()}}
    verdict: Judgement = "ok"
    found = measured(SILENT_JUDGE, share, n=worst.comparisons)
    why = found.why
    if share > TOLERATED:
        verdict = "problem" if share >= MATTERS else "warning"
        words = (
            f"{name} gave no verdict on {worst.silent:,} of {worst.comparisons:,}: the jury was the others. The first: "
            f"{worst.why}."
        )
        detail["way_out"], why = words, f"{why} {words}"
    return [replace(found, verdict=verdict, why=why, detail=detail)]
