"""Small panels, one width for page, phone and print: histograms, scatter, curves. Knows values and pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.report import words
from assay.report.plots.svg import Drawing, Scale, decimals, ticks

WIDTH, HEIGHT = 368, 236
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 22, 40


@dataclass(frozen=True, slots=True)
class Bin:
    """A histogram bar: low <= value < high (the last bin holds its high end too)."""

    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: points (x, y), and which seed's dash pattern it wears."""

    label: str
    points: tuple[tuple[float, float], ...]
    style: int = 0


def frame(drawing: Drawing, x: Scale, y: Scale, *, x_words: str, y_words: str, y_percent: bool = False) -> None:
    """Ticks and hairlines on both axes, the axis names at the foot and at the top left."""
    x_marks, y_marks = ticks(x.low, x.high, 5), ticks(y.low, y.high, 4)
    factor = 100 if y_percent else 1
    x_places, y_places = decimals(x_marks), decimals([factor * mark for mark in y_marks])
    for mark in y_marks:
        drawing.line(LEFT, y(mark), WIDTH - RIGHT, y(mark), "grid")
        suffix = "%" if y_percent else ""
        drawing.text(LEFT - 6, y(mark) + 4, words.number(factor * mark, y_places) + suffix, "tick end")
    for mark in x_marks:
        drawing.line(x(mark), HEIGHT - BOTTOM, x(mark), HEIGHT - BOTTOM + 4, "axis")
        drawing.text(x(mark), HEIGHT - BOTTOM + 16, words.number(mark, x_places), "tick mid")
    drawing.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_words, "name mid")
    drawing.text(0, 11, y_words, "name")


def x_scale(low: float, high: float) -> Scale:
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def y_scale(low: float, high: float) -> Scale:
    return Scale(low, high, HEIGHT - BOTTOM, TOP)


def histogram(values: Sequence[float], *, low: float, high: float, bins: int) -> list[Bin]:
    """Counts of `values` in equal bins over low..high; the counts add up to the number of values inside."""
    counts = [0] * bins
    width = (high - low) / bins if high > low else 1.0
    for value in values:
        if low <= value <= high:
            counts[min(int((value - low) / width), bins - 1)] += 1
    return [Bin(low + index * width, low + (index + 1) * width, n) for index, n in enumerate(counts)]


def mirrored(up: Sequence[Bin], down: Sequence[Bin], *, names: tuple[str, str], means: tuple[float, float]) -> str:
    """Two histograms on one axis of rewards, the first upwards, the second downwards, with a tick at each mean."""
    most = max((bar.n for bar in (*up, *down)), default=1) or 1
    label = (
        f"Rewards of {sum(b.n for b in up)} {names[0]} answers (mean {words.reward(means[0])}) above, and of "
        f"{sum(b.n for b in down)} {names[1]} answers (mean {words.reward(means[1])}) below the axis"
    )
    drawing = Drawing(WIDTH, HEIGHT, label=label)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    reach = (HEIGHT - BOTTOM - TOP) / 2 - 2
    x = Scale(up[0].low, up[-1].high, LEFT + 12, WIDTH - RIGHT)
    for bars, css, sign in ((up, "chosen", -1), (down, "rejected", 1)):
        for bar in bars:
            size = bar.n / most * reach
            tip = f"{words.reward(bar.low)} to {words.reward(bar.high)}: {bar.n}"
            top = middle - size if sign < 0 else middle
            drawing.rect((x(bar.low) + 0.5, top, x(bar.high) - x(bar.low) - 1, size), css, tip)
    for mean, sign in zip(means, (-1, 1), strict=True):
        drawing.line(x.clamp(mean), middle, x.clamp(mean), middle + sign * (reach + 2), "mean")
    drawing.line(x.start, middle, x.end, middle, "axis")
    marks = ticks(x.low, x.high, 6)
    for mark in marks:
        drawing.text(x(mark), HEIGHT - BOTTOM + 16, words.number(mark, decimals(marks)), "tick mid")
        drawing.line(x(mark), HEIGHT - BOTTOM, x(mark), HEIGHT - BOTTOM + 4, "axis")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "reward", "name mid")
    drawing.text(0, TOP + 8, names[0], "name")
    drawing.text(0, HEIGHT - BOTTOM - 2, names[1], "name")
    return drawing.markup()


def margins(bars: Sequence[Bin], *, wrong: float, right: float) -> str:
    """Histogram of reward(chosen) - reward(rejected): left of zero the model prefers the rejected answer."""
    label = f"Margins of {sum(b.n for b in bars)} pairs: {words.percent(right)} above 0, {words.percent(wrong)} below"
    drawing = Drawing(WIDTH, HEIGHT, label=label)
    most = max((bar.n for bar in bars), default=1) or 1
    x, y = x_scale(bars[0].low, bars[-1].high), y_scale(0, most * 1.15)
    frame(drawing, x, y, x_words="margin: reward of chosen − reward of rejected", y_words="pairs")
    for bar in bars:
        # Edges are computed: the bin that begins at 0 may begin a rounding below it.
        css = "chosen" if bar.low >= -1e-12 else "rejected"
        tip = f"{words.reward(bar.low)} to {words.reward(bar.high)}: {bar.n}"
        drawing.rect((x(bar.low) + 0.5, y(bar.n), x(bar.high) - x(bar.low) - 1, y(0) - y(bar.n)), css, tip)
    drawing.line(x(0), TOP - 4, x(0), y(0), "mean")
    room = 84  # pixels one of the two labels takes
    if x(0) - LEFT < room:
        drawing.text(x(0) + 6, TOP + 2, f"wrong {words.percent(wrong)}, right {words.percent(right)}", "name")
    elif x.end - x(0) < room:
        drawing.text(x(0) - 6, TOP + 2, f"wrong {words.percent(wrong)}, right {words.percent(right)}", "name end")
    else:
        drawing.text(x(0) - 6, TOP + 2, f"wrong {words.percent(wrong)}", "name end")
        drawing.text(x(0) + 6, TOP + 2, f"{words.percent(right)} right", "name")
    return drawing.markup()


def scatter(points: Sequence[tuple[float, float]], *, x_words: str, label: str) -> str:
    """Length difference against margin, one dot a pair; dots beyond the 99th percentile sit on the edge."""
    drawing = Drawing(WIDTH, HEIGHT, label=label)
    x_reach, y_reach = (reach([point[axis] for point in points]) for axis in (0, 1))
    x, y = x_scale(-x_reach, x_reach), y_scale(-y_reach, y_reach)
    frame(drawing, x, y, x_words=x_words, y_words="margin")
    drawing.line(x(0), TOP, x(0), HEIGHT - BOTTOM, "chance")
    drawing.line(LEFT, y(0), WIDTH - RIGHT, y(0), "chance")
    for across, up in points:
        drawing.circle(x.clamp(across), y.clamp(up), 1.8, "speck" if up > 0 else "speck wrong")
    return drawing.markup()


def reach(values: Sequence[float]) -> float:
    """The 99th percentile of the absolute values, at least a hair above zero."""
    ordered = sorted(abs(value) for value in values)
    return max(ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)], 1e-9) if ordered else 1.0


def curves(
    lines: Sequence[Line],
    *,
    y_words: str,
    percent: bool = False,
    floor: float | None = None,
    reference: float | None = None,
) -> str:
    """Curves over optimiser steps, one dash pattern per seed, each named at its end; a dotted line at `reference`."""
    values = [y for line in lines for _, y in line.points]
    steps = [x for line in lines for x, _ in line.points]
    low, high = min(values + ([] if reference is None else [reference])), max(values)
    pad = (high - low) * 0.08 or abs(high) * 0.08 or 0.1
    low, top = floor if floor is not None and floor <= low else low - pad, high + pad
    if percent:
        low, top = max(low, 0.0), min(top, 1.0)  # no share lies beyond
    ends = "; ".join(
        f"{line.label} ends at {words.percent(line.points[-1][1]) if percent else words.number(line.points[-1][1], 3)}"
        for line in lines
    )
    drawing = Drawing(WIDTH, HEIGHT, label=f"{y_words} over {round(max(steps))} steps: {ends}")
    x, y = x_scale(min(0.0, *steps), max(steps)), y_scale(low, top)
    frame(drawing, x, y, x_words="optimiser step", y_words=y_words, y_percent=percent)
    if reference is not None and y.holds(reference):
        drawing.line(x.start, y(reference), x.end, y(reference), "chance")
    for line in lines:
        pixels = [(x(step), y(value)) for step, value in line.points]
        drawing.polyline(pixels, f"curve seed{line.style % 4}")
        if len(pixels) < 15:
            for across, up in pixels:
                drawing.circle(across, up, 3, f"bead seed{line.style % 4}")
    return drawing.markup()


def smooth(points: Sequence[tuple[float, float]], most: int) -> tuple[tuple[float, float], ...]:
    """At most `most` points: means over equal runs of steps, x at the run's last step. All points if already few."""
    if len(points) <= most:
        return tuple(points)
    edges = [round(index * len(points) / most) for index in range(most + 1)]
    runs = [points[a:b] for a, b in pairwise(edges)]
    return tuple((run[-1][0], sum(value for _, value in run) / len(run)) for run in runs)


def reliability(bins: Sequence[tuple[float, float, int]], *, label: str) -> str:
    """Stated probability against observed share, one dot a bin (its area grows with the pairs in it)."""
    drawing = Drawing(WIDTH, HEIGHT, label=label)
    x, y = x_scale(0.5, 1.0), y_scale(min(0.4, *(observed for _, observed, _ in bins)), 1.0)
    frame(drawing, x, y, x_words="probability the model states", y_words="share it is right", y_percent=True)
    drawing.line(x(0.5), y(0.5), x(1.0), y(1.0), "chance")
    most = max(n for _, _, n in bins)
    for stated, observed, n in bins:
        tip = f"stated {words.percent(stated)}, right {words.percent(observed)}, {n} pairs"
        # The root, so that the area and not the radius grows with the pairs.
        drawing.circle(x.clamp(stated), y.clamp(observed), 2.5 + 5 * math.sqrt(n / most), "dot", tip)
    return drawing.markup()
