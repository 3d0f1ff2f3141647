"""The criteria of a gate as every page shows them, and what they ask of a figure. Knows gate.json; decides nothing."""

from __future__ import annotations

from typing import TypedDict

from assay.artifacts.gate_body import CriterionBody, GateBody
from assay.findings.slice import Slice
from assay.report import words
from assay.report.finding_text import Cell, reading
from assay.stats.intervals import Interval


class CriterionRow(TypedDict):
    """One criterion as the table shows it. more: what would decide it, empty where nothing is open."""

    text: str
    word: str
    value: Cell
    threshold: str
    reasons: list[str]
    more: str


class VerdictText(TypedDict):
    """thresholds: whether any criterion states one."""

    word: str
    decision: str
    criteria: list[CriterionRow]
    thresholds: bool


def criterion(row: CriterionBody, *, more: str) -> CriterionRow:
    """One criterion as the table shows it."""
    as_kind = "count" if row.value_noun else reading(row.unit)
    return {
        "text": row.text,
        "word": row.verdict,
        "value": Cell(
            text=words.plural(row.value, row.value_noun)
            if row.value_noun and row.value is not None
            else words.figure(row.value, as_kind),
            sub=words.span(Interval(**row.interval.model_dump()) if row.interval else None, as_kind),
            why="" if row.value is not None else "see the reason",
        ),
        "threshold": words.figure(row.threshold, as_kind) if row.threshold is not None else "",
        "reasons": [words.sentence(reason) for reason in row.reasons],
        "more": more,
    }


def asked_of(gate: GateBody, name: str, where: Slice) -> float | None:
    """What the gate asks of a figure on a slice, by name or by "every ..."; the most, None where it asks nothing."""
    bars = [row.threshold for row in gate.criteria if row.finding == name and names(row, where)]
    return max((bar for bar in bars if bar is not None), default=None)


def names(row: CriterionBody, where: Slice) -> bool:
    """Whether a criterion is about this slice."""
    if row.part is not None:
        return where.part == row.part
    return row.slice is not None and Slice.read(row.slice) == where
