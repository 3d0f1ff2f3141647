"""Curves over n of best of n: gold of several runs with bands, and reward beside gold. Knows values and pixels only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.report import words
from assay.report.plots.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, y_scale
from assay.report.plots.svg import Drawing, Scale, decimals, ticks

WIDE = 760  # of the one large plot; panels are as wide as every other
NEAR = 13  # pixels that two names at the ends of curves need between them


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureLine:
    """One curve. points: (n, value, low, high), bounds None where there are none. style: which dash it wears."""

    label: str
    points: tuple[tuple[int, float, float | None, float | None], ...]
    style: int = 0
    band: bool = True


def pressure_plot(lines: Sequence[PressureLine], *, label: str, y_words: str, mark: int | None = None) -> Markup:
    """Curves over n on a doubling axis, each named at its end. mark: the n at which a dotted line stands."""
    return _drawn(lines, WIDE, label=label, y_words=y_words, mark=mark, css="wide")


def narrow_pressure_plot(
    lines: Sequence[PressureLine], *, label: str, y_words: str, mark: int | None = None, css: str = "narrow"
) -> Markup:
    """The same as wide as a panel, for a phone, or beside another."""
    return _drawn(lines, WIDTH, label=label, y_words=y_words, mark=mark, css=css)


def _drawn(
    lines: Sequence[PressureLine], width: int, *, label: str, y_words: str, mark: int | None, css: str
) -> Markup:
    values = [
        end for line in lines for _, value, low, high in line.points for end in (value, low, high) if end is not None
    ]
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or abs(high) * 0.06 or 0.1
    ns = sorted({n for line in lines for n, *_ in line.points})
    names = 112 if width == WIDE else 12  # room for the names at the right; a phone has them in the legend
    drawing = Drawing(width, HEIGHT, label=label, css=css)
    x = Scale(math.log2(ns[0]), math.log2(ns[-1]), LEFT, width - RIGHT - names)
    y = y_scale(low - pad, high + pad)
    frame(drawing, x, y, ns, y_words)
    if mark is not None and len(ns) > 1:
        drawing.line(x(math.log2(mark)), TOP, x(math.log2(mark)), HEIGHT - BOTTOM, "chance")
    for line in lines:
        if line.band:
            band(drawing, line, x, y)
    for line in lines:
        curve(drawing, line, x, y)
    if width == WIDE:
        end_names(drawing, lines, y, x.end + 8)
    return drawing.markup()


def frame(drawing: Drawing, x: Scale, y: Scale, ns: Sequence[int], y_words: str) -> None:
    """Hairlines at round values, a tick at every n, the names of both axes."""
    marks = ticks(y.low, y.high, 4)
    for mark in marks:
        drawing.line(x.start, y(mark), x.end, y(mark), "grid")
        drawing.text(x.start - 6, y(mark) + 4, words.number(mark, decimals(marks)), "tick end")
    for n in ns:
        across = x(math.log2(n))
        drawing.line(across, HEIGHT - BOTTOM, across, HEIGHT - BOTTOM + 4, "axis")
        drawing.text(across, HEIGHT - BOTTOM + 16, str(n), "tick mid")
    drawing.line(x.start, HEIGHT - BOTTOM, x.end, HEIGHT - BOTTOM, "axis")
    drawing.text((x.start + x.end) / 2, HEIGHT - 6, "n of best of n", "name mid")
    drawing.text(0, 11, y_words, "name")


def band(drawing: Drawing, line: PressureLine, x: Scale, y: Scale) -> None:
    """The area between the bounds, where every point has them."""
    bounds = [(x(math.log2(n)), low, high) for n, _, low, high in line.points if low is not None and high is not None]
    if len(bounds) == len(line.points) > 1:
        upper = [(across, y(high)) for across, _, high in bounds]
        drawing.polygon(
            [*upper, *((across, y(low)) for across, low, _ in reversed(bounds))], f"band seed{line.style % 4}"
        )


def curve(drawing: Drawing, line: PressureLine, x: Scale, y: Scale) -> None:
    pixels = [(x(math.log2(n)), y(value)) for n, value, *_ in line.points]
    drawing.polyline(pixels, f"curve seed{line.style % 4}")
    for (across, up), (n, value, low, high) in zip(pixels, line.points, strict=True):
        bounds = f" ({words.reward(low)} to {words.reward(high)})" if low is not None and high is not None else ""
        tip = f"{line.label}, n = {n}: {words.reward(value)}{bounds}"
        drawing.circle(across, up, 3, f"bead seed{line.style % 4}", tip)


def end_names(drawing: Drawing, lines: Sequence[PressureLine], y: Scale, across: float) -> None:
    """Each curve's name at its end, moved apart where two would lie on each other."""
    taken = -math.inf
    for up, text in sorted((y(line.points[-1][1]), line.label) for line in lines):
        taken = max(up, taken + NEAR)
        drawing.text(across, taken + 4, text, "name")
