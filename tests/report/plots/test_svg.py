"""Pixels worked by hand."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from assay.report.plots import charts, forest
from assay.report.plots.charts import Bin, Line
from assay.report.plots.forest import Row
from assay.report.plots.svg import Drawing, Scale, decimals, px, ticks
from assay.report.run.scores_section import zero_bins

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_scale_is_a_straight_line():
    scale = Scale(0.4, 0.9, 100, 200)
    assert scale(0.4) == 100
    assert scale(0.65) == pytest.approx(150)  # half way
    assert scale(0.5) == pytest.approx(120)  # a fifth of the way
    assert scale.clamp(7) == 200
    assert Scale(3, 3, 0, 10)(3) == 5  # no width: the middle


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),  # 1/5 = 0.2
        (0.42, 0.97, 5, [0.6, 0.8]),  # 0.55/5 = 0.11 -> 0.2
        (-3, 3, 6, [-3, -2, -1, 0, 1, 2, 3]),
        (0, 240, 5, [0, 50, 100, 150, 200]),  # 48 -> 50
        (2, 2, 5, [2]),
    ],
)
def test_ticks_are_round(low, high, count, expected):
    assert ticks(low, high, count) == pytest.approx(expected)


def test_ticks_and_pixels_refuse_what_is_not_finite():
    with pytest.raises(ValueError, match="finite"):
        ticks(0, math.nan, 5)
    with pytest.raises(ValueError, match="finite"):
        px(math.inf)


def test_pixels_and_decimals():
    assert [px(value) for value in (1.0, 1.25, -0.01, 12.34)] == ["1", "1.2", "0", "12.3"]
    assert decimals([0, 0.2, 0.4]) == 1
    assert decimals([0, 50]) == 0
    assert decimals([0.05, 0.1]) == 2


def test_text_and_tips_are_escaped():
    drawing = Drawing(10, 10, label='a "b" <c>')
    drawing.text(1, 2, "<script>")
    drawing.circle(1, 2, 3, "dot", "x & y")
    markup = drawing.markup()
    assert "<script>" not in markup
    root = parsed(markup)
    assert root.get("aria-label") == 'a "b" <c>'
    assert root.find(f"{SVG}text").text == "<script>"


def test_histogram_counts_every_value_once():
    bins = charts.histogram([0, 0.1, 0.5, 0.99, 1.0, 2.0], low=0, high=1, bins=2)
    assert [bar.n for bar in bins] == [2, 3]  # 0 and 0.1 | 0.5, 0.99 and the high end; 2.0 lies outside


def test_margin_bins_have_an_edge_at_zero():
    bins = zero_bins([-1.0, 1.0, 3.0], count=4)  # 4 wide in 4 bins: one below zero, three above
    assert [(bar.low, bar.high, bar.n) for bar in bins] == [(-1, 0, 1), (0, 1, 0), (1, 2, 1), (2, 3, 1)]
    assert [bar.n for bar in zero_bins([2.0, 2.0], count=2)] == [0, 0, 2]  # a side without pairs keeps one bin


def test_margin_bars_stand_on_the_axis():
    root = parsed(charts.margins([Bin(-1, 0, 25), Bin(0, 1, 100)], wrong=0.2, right=0.8))
    left, right = root.findall(f"{SVG}rect")
    floor, top = charts.HEIGHT - charts.BOTTOM, charts.TOP
    height = (floor - top) / 1.15  # the tallest bar reaches 1/1.15 of the panel
    assert float(right.get("height")) == pytest.approx(height, abs=0.06)
    assert float(left.get("height")) == pytest.approx(height / 4, abs=0.06)
    assert float(left.get("y")) + float(left.get("height")) == pytest.approx(floor, abs=0.11)
    assert (left.get("class"), right.get("class")) == ("rejected", "chosen")


def test_forest_puts_dots_where_the_values_are():
    wide, narrow = forest.forest([Row(label="a", value=0.75, low=0.6, high=0.9, baseline=0.55)], label="x")
    root = parsed(wide)
    # axis from floor(0.49*20)/20 = 0.45 to ceil(0.91*20)/20 = 0.95, pixels 168 to 612: 888 a unit
    dot = next(c for c in root.findall(f"{SVG}circle") if c.get("class") == "dot")
    assert float(dot.get("cx")) == pytest.approx(168 + 0.30 * 888, abs=0.06)
    whisker = root.findall(f"{SVG}line[@class='whisker']")[0]
    assert float(whisker.get("x1")) == pytest.approx(168 + 0.15 * 888, abs=0.06)
    assert float(whisker.get("x2")) == pytest.approx(168 + 0.45 * 888, abs=0.06)
    assert 'class="plot narrow"' in narrow


def test_forest_says_unknown_where_a_value_is():
    wide, _ = forest.forest([Row(label="a", value=None)], label="x")
    root = parsed(wide)
    assert not [c for c in root.findall(f"{SVG}circle") if c.get("class") == "dot"]
    assert "unknown" in [text.text for text in root.findall(f"{SVG}text")]


def test_axis_covers_all_marks():
    shown = [Row(label="a", value=0.31, low=0.2, high=0.99, threshold=0.65, oracle=0.97)]
    assert forest.span_of(shown, anchors=(0.5,)) == (0.15, 1.0)
    assert forest.span_of([]) == (0.0, 1.0)


def test_an_axis_of_shares_ends_at_nought_and_at_all():
    for value in (0.0, 1.0):
        drawn = charts.curves([Line("seed 0", ((0, value), (10, value)))], y_words="accuracy", percent=True)
        marks = [float(share) for share in re.findall(r">(-?[\d.]+)%<", drawn.replace("\u2212", "-"))]
        assert marks
        assert 0 <= min(marks) <= max(marks) <= 100


def test_curves_and_their_smoothing():
    points = [(float(step), float(step)) for step in range(1, 9)]
    assert charts.smooth(points, 4) == ((2, 1.5), (4, 3.5), (6, 5.5), (8, 7.5))  # means of pairs of steps
    assert charts.smooth(points, 8) == tuple(points)
    root = parsed(charts.curves([Line("seed 0", ((0, 0.5), (10, 1.0)))], y_words="accuracy", percent=True))
    xs = [float(pair.split(",")[0]) for pair in root.find(f"{SVG}polyline").get("points").split()]
    assert xs == [charts.LEFT, charts.WIDTH - charts.RIGHT]


def test_constant_curve_and_scatter_of_one_point_are_drawn():
    drawn = [
        charts.curves([Line("seed 0", ((1, 2.0), (2, 2.0)))], y_words="loss"),
        charts.scatter([(0.0, 0.0)], x_words="x", label="x"),
    ]
    for picture in drawn:
        parsed(picture)
        assert "nan" not in str(picture)
        assert "inf" not in str(picture)


def test_reach_is_the_99th_percentile():
    assert charts.reach([*range(1, 101)]) == 99
    assert charts.reach([-5.0]) == 5.0
