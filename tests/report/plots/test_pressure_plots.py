"""Curves over n: points where they belong, names apart, a band only where every point has bounds."""

from __future__ import annotations

import re
from itertools import pairwise

from assay.report.plots.pressure_plots import PressureLine, narrow_pressure_plot, pressure_plot


def line(label: str, values: list[float], *, bounds: bool = True, style: int = 0) -> PressureLine:
    half = 0.1 if bounds else None
    points = tuple(
        (2**place, value, None if half is None else value - half, None if half is None else value + half)
        for place, value in enumerate(values)
    )
    return PressureLine(label=label, points=points, style=style)


def test_doubling_n_is_one_step_and_higher_is_higher() -> None:
    drawn = pressure_plot([line("gold", [0.0, 1.0, 0.5])], label="l", y_words="y")
    points = re.findall(r'<polyline class="curve seed0" points="([^"]*)"', drawn)[0].split()
    (x1, y1), (x2, y2), (x3, y3) = (tuple(map(float, one.split(","))) for one in points)
    assert abs((x2 - x1) - (x3 - x2)) < 0.2
    assert y2 < y3 < y1  # pixels grow downwards
    assert "gold, n = 2: 1.00 (0.90 to 1.10)" in drawn


def test_names_of_curves_that_end_together_do_not_lie_on_each_other() -> None:
    lines = [line(name, [0.0, 1.0], style=n) for n, name in enumerate(("one", "two", "three"))]
    drawn = pressure_plot(lines, label="l", y_words="y")
    named = re.findall(r'<text class="name" x="[\d.]+" y="([\d.]+)">(?:one|two|three)<', drawn)
    heights = sorted(map(float, named))
    assert len(heights) == 3
    assert min(b - a for a, b in pairwise(heights)) >= 12


def test_without_bounds_there_is_no_band_and_a_flat_curve_is_drawn() -> None:
    assert "<polygon" not in pressure_plot([line("a", [1.0, 1.0], bounds=False)], label="l", y_words="y")
    assert pressure_plot([line("a", [1.0, 2.0])], label="l", y_words="y").count("<polygon") == 1
    assert "<b>" not in narrow_pressure_plot([line("<b>", [1.0, 2.0])], label="<b>", y_words="y")
