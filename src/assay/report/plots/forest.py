"""Plots with one row per slice: dot and whisker, and one dot per seed. Knows shares and pixels; knows no artifact.

Each comes in two widths, of which the page shows one: text keeps its size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.report import words
from assay.report.plots.svg import Drawing, Scale, decimals, ticks

WIDE, NARROW = 760, 350
AXIS = 34
LABEL_WIDE, FIGURE_WIDE = 168, 148


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: a share with its interval, and what to compare it with; None where unknown."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    oracle: float | None = None
    threshold: float | None = None
    dots: tuple[float, ...] = ()
    strong: bool = False
    baseline_named: str = "longest wins"


Mark = Callable[[Drawing, Scale, Row, float], None]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand: row height, left and right of the plot, and the y of row i's mark."""

    width: int
    left: float
    right: float
    step: float
    top: float

    @property
    def narrow(self) -> bool:
        return self.width == NARROW

    def y(self, index: int) -> float:
        return self.top + index * self.step + (self.step - 9 if self.narrow else self.step / 2)


def layout(width: int) -> Layout:
    if width == NARROW:
        return Layout(width, 10, width - 12, 46, 4)
    return Layout(width, LABEL_WIDE, width - FIGURE_WIDE, 30, 6)


def span_of(rows: Sequence[Row], *, anchors: Sequence[float] = ()) -> tuple[float, float]:
    """Ends of the axis that hold every mark and anchor, on multiples of 0.05; 0 to 1 if there is none."""
    shown: list[float] = list(anchors)
    for row in rows:
        candidates = (row.value, row.low, row.high, row.baseline, row.oracle, row.threshold, *row.dots)
        shown += [value for value in candidates if value is not None]
    if not shown:
        return 0.0, 1.0
    # Rounded first: a multiple of 0.05, times 20, may come out a hair below its integer and would cost a step.
    low = max(0.0, math.floor(round((min(shown) - 0.01) * 20, 6)) / 20)
    high = min(1.0, math.ceil(round((max(shown) + 0.01) * 20, 6)) / 20)
    return low, high


def axis(drawing: Drawing, scale: Scale, bottom: float, *, unit: str = "percent") -> None:
    """Vertical hairlines and tick labels under the rows."""
    marks = ticks(scale.low, scale.high, 8 if scale.end - scale.start > 320 else 5)
    places = decimals([100 * mark for mark in marks]) if unit == "percent" else decimals(marks)
    for mark in marks:
        x = scale(mark)
        drawing.line(x, 2, x, bottom, "grid")
        words_ = f"{words.number(100 * mark, places)}%" if unit == "percent" else words.number(mark, places)
        drawing.text(x, bottom + 15, words_, "tick mid")
    drawing.line(scale.start, bottom, scale.end, bottom, "axis")


def chance(drawing: Drawing, scale: Scale, bottom: float, named: str = "chance") -> None:
    if scale.holds(0.5):
        drawing.line(scale(0.5), 2, scale(0.5), bottom, "chance")
        drawing.text(scale(0.5), bottom + 28, named, "tick mid")


def draw_rows(
    rows: Sequence[Row], *, width: int, label: str, mark: Mark, anchors: Sequence[float], even: str = "chance"
) -> Drawing:
    """The frame both plots share: labels, figures in words, axis; `mark` draws one row. even: what 50% is called."""
    place = layout(width)
    bottom = place.top + place.step * len(rows) + 4
    drawing = Drawing(width, bottom + AXIS, label=label, css="narrow" if place.narrow else "wide")
    low, high = span_of(rows, anchors=anchors)
    scale = Scale(low, high, place.left, place.right)
    axis(drawing, scale, bottom)
    chance(drawing, scale, bottom, even)
    for index, row in enumerate(rows):
        y = place.y(index)
        css = "strong" if row.strong else ""
        text = in_words(row)
        if place.narrow:
            drawing.text(place.left, y - 17, clip(row.label, 26), css)
            drawing.text(place.right, y - 17, text, f"{css} end num".strip())
        else:
            drawing.text(0, y + 4, clip(row.label, 24), css)
            drawing.text(width, y + 4, text, f"{css} end num".strip())
        mark(drawing, scale, row, y)
    return drawing


def in_words(row: Row) -> str:
    """78.4% (75.1 to 81.4)."""
    if row.value is None:
        return words.UNKNOWN
    if row.low is None or row.high is None:
        return words.percent(row.value) if row.dots else f"{words.percent(row.value)} (no interval)"
    return f"{words.percent(row.value)} ({words.number(100 * row.low, 1)}–{words.number(100 * row.high, 1)})"


def clip(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def mark_forest(drawing: Drawing, scale: Scale, row: Row, y: float) -> None:
    """Threshold bar, oracle ring, baseline diamond, whisker, dot: the dot last, on top."""
    if row.threshold is not None:
        x = scale(row.threshold)
        drawing.line(x, y - 10, x, y + 10, "threshold")
    if row.oracle is not None:
        x = scale(row.oracle)
        drawing.polygon(((x, y + 5), (x - 5, y - 5), (x + 5, y - 5)), "oracle", f"oracle {words.percent(row.oracle)}")
    if row.baseline is not None:
        tip = f"{row.baseline_named} {words.percent(row.baseline)}"
        drawing.diamond(scale(row.baseline), y, 5.5, "baseline", tip)
    if row.low is not None and row.high is not None:
        drawing.line(scale(row.low), y, scale(row.high), y, "whisker")
        for end in (row.low, row.high):
            drawing.line(scale(end), y - 4, scale(end), y + 4, "whisker")
    if row.value is not None:
        drawing.circle(scale(row.value), y, 5, "dot", f"{row.label}: {in_words(row)}")


def mark_seeds(drawing: Drawing, scale: Scale, row: Row, y: float) -> None:
    """A bar from the lowest to the highest seed, a ring per seed, and the mean as a tick."""
    if row.dots:
        low, high = scale(min(row.dots)), scale(max(row.dots))
        drawing.rect((low - 5, y - 5, high - low + 10, 10), "spread")
        for dot in row.dots:
            drawing.circle(scale(dot), y, 4, "ring", words.percent(dot))
    if row.value is not None:
        drawing.line(scale(row.value), y - 10, scale(row.value), y + 10, "mean")


def forest(rows: Sequence[Row], *, label: str, even: str = "chance") -> tuple[str, str]:
    """Dot-and-whisker plot, wide and narrow; the axis holds 50%, called `even`."""
    return _both(rows, label, mark_forest, anchors=(0.5,), even=even)


def strip(rows: Sequence[Row], *, label: str) -> tuple[str, str]:
    """One ring per seed, wide and narrow; the axis holds the rings only."""
    return _both(rows, label, mark_seeds, anchors=())


def _both(
    rows: Sequence[Row], label: str, mark: Mark, *, anchors: Sequence[float], even: str = "chance"
) -> tuple[str, str]:
    wide, narrow = (
        draw_rows(rows, width=width, label=label, mark=mark, anchors=anchors, even=even).markup()
        for width in (WIDE, NARROW)
    )
    return wide, narrow
