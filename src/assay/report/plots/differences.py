"""A plot of differences in points around zero, one row a part of the data. Knows shares and pixels only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.report import words
from assay.report.plots.forest import AXIS, NARROW, WIDE, clip, layout
from assay.report.plots.svg import Drawing, Scale, decimals, ticks

LEAST = 0.05  # the axis reaches this far either way, or two points would look like a landslide


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One difference of two shares, with its interval where there is one."""

    label: str
    value: float
    low: float | None
    high: float | None
    strong: bool = False


def difference_plot(rows: Sequence[DifferenceRow], *, label: str, left: str, right: str) -> tuple[str, str]:
    """Dots with whiskers, wide and narrow. left, right: what lies on either side of zero, in words."""
    wide, narrow = (_drawn(rows, width, label, (left, right)).markup() for width in (WIDE, NARROW))
    return wide, narrow


def reach(rows: Sequence[DifferenceRow]) -> float:
    """The end of the axis, the same to both sides: a multiple of five points that holds every mark."""
    ends = [abs(end) for row in rows for end in (row.value, row.low, row.high) if end is not None]
    return max(LEAST, math.ceil(round((max(ends, default=0.0) + 0.02) * 20, 6)) / 20)


def in_words(row: DifferenceRow) -> str:
    """+4.2 (-1.0 to +9.4)."""
    value = words.signed(100 * row.value, 1)
    if row.low is None or row.high is None:
        return f"{value} (no interval)"
    return f"{value} ({words.signed(100 * row.low, 1)} to {words.signed(100 * row.high, 1)})"


def _drawn(rows: Sequence[DifferenceRow], width: int, label: str, sides: tuple[str, str]) -> Drawing:
    place = layout(width)
    bottom = place.top + place.step * len(rows) + 4
    drawing = Drawing(width, bottom + AXIS, label=label, css="narrow" if place.narrow else "wide")
    scale = Scale(-reach(rows), reach(rows), place.left, place.right)
    marks = ticks(scale.low, scale.high, 8 if not place.narrow else 5)
    for mark in marks:
        drawing.line(scale(mark), 2, scale(mark), bottom, "grid")
        drawing.text(scale(mark), bottom + 15, words.signed(100 * mark, decimals([100 * m for m in marks])), "tick mid")
    drawing.line(scale.start, bottom, scale.end, bottom, "axis")
    drawing.line(scale(0), 2, scale(0), bottom, "chance")
    drawing.text(scale.start, bottom + 30, sides[0], "tick")
    drawing.text(scale.end, bottom + 30, sides[1], "tick end")
    for index, row in enumerate(rows):
        y = place.y(index)
        css = "strong" if row.strong else ""
        if place.narrow:
            drawing.text(place.left, y - 17, clip(row.label, 26), css)
            drawing.text(place.right, y - 17, in_words(row), f"{css} end num".strip())
        else:
            drawing.text(0, y + 4, clip(row.label, 24), css)
            drawing.text(width, y + 4, in_words(row), f"{css} end num".strip())
        if row.low is not None and row.high is not None:
            drawing.line(scale(row.low), y, scale(row.high), y, "whisker")
            for end in (row.low, row.high):
                drawing.line(scale(end), y - 4, scale(end), y + 4, "whisker")
        drawing.circle(scale(row.value), y, 5, "dot", f"{row.label}: {in_words(row)}")
    return drawing
