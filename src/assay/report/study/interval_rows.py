"""Findings as rows of a forest plot against one half. Knows findings and plots; knows no section of the page."""

from __future__ import annotations

from collections.abc import Sequence

from assay.findings.finding import Finding
from assay.report.plots.forest import Row, forest

EVEN = "no preference"
MOST_ROWS = 40  # of a plot; the tables hold the rest


def interval_row(label: str, found: Finding | None, threshold: float | None = None, *, strong: bool = False) -> Row:
    """One row of a forest plot."""
    interval = found.bounds if found is not None else None
    return Row(
        label=label,
        value=found.known if found is not None else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        threshold=threshold,
        strong=strong,
    )


def interval_plot(rows: Sequence[Row], *, label: str) -> tuple[str, str] | None:
    """Wide and narrow forest, or None where no row has a value."""
    shown = [one for one in rows if one.value is not None][:MOST_ROWS]
    return forest(shown, label=label, even=EVEN) if shown else None
