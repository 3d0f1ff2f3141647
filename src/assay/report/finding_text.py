"""Findings in words: values, intervals, and reasons where there are none. Knows findings; knows no page."""

from __future__ import annotations

from dataclasses import dataclass

from assay.findings.finding import Finding
from assay.findings.vocabulary import UNITS
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.stats.unknown import Unknown


def label(name: str) -> str:
    """A finding's name as the page writes it."""
    known = EVERY_FIGURE.get(name)
    return known.label if known is not None else words.spaced(name).capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure in words, or `unknown` with why; `sub` stands smaller beneath it."""

    text: str
    sub: str = ""
    why: str = ""


def reading(unit: str | None) -> words.Kind:
    """How figures of a unit are read; plain numbers where another version of assay named it."""
    return next((meaning.reading for name, meaning in UNITS.items() if name == unit), "plain")


def kind(finding: Finding) -> words.Kind:
    """How the finding's figures are read."""
    return reading(finding.unit)


def inline(finding: Finding) -> str:
    """A finding inside a sentence: +26.0 points (95% interval +19.6 to +32.4); unknown (why)."""
    if isinstance(finding.value, Unknown):
        return f"{words.UNKNOWN} ({finding.value.reason})"
    span = words.span(finding.bounds, kind(finding))
    said = words.figure(finding.value, kind(finding))
    return f"{said} ({words.level(finding.bounds)} interval {span})" if span else said


def cell(finding: Finding) -> Cell:
    """A finding as a cell: value, interval beneath (or why there is none); or unknown and the reason."""
    if isinstance(finding.value, Unknown):
        return Cell(text=words.UNKNOWN, why=finding.value.reason)
    as_kind = kind(finding)
    return Cell(
        text=words.figure(finding.value, as_kind),
        sub=words.span(finding.bounds, as_kind),
        why=f"no interval: {finding.reason}" if finding.reason else "",
    )
