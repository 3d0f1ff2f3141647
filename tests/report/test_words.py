import math

import pytest

from assay.report import words
from assay.stats.intervals import Interval


def interval(low, high):
    return Interval(low=low, high=high, level=0.95, method="x")


@pytest.mark.parametrize("value", [None, math.nan, math.inf, True, "3"])
def test_what_is_no_number_is_unknown(value):
    for say in (words.number, words.percent, words.points, words.count, words.duration, words.signed):
        assert say(value) == "unknown"
    assert words.figure(value, "share") == "unknown"


def test_numbers_as_people_read_them():
    assert words.percent(0.7841) == "78.4%"
    assert words.points(0.2134) == "+21.3 points"
    assert words.points(-0.02) == "−2.0 points"
    assert words.number(-0.0001, 2) == "0.00"  # no minus before zero
    assert words.signed(0.0) == "0.00"
    assert [words.plain_number(x) for x in (0.0, 2e-05, -0.0041, 0.1234, 12.34, 1234.5)] == [
        "0.000", "2e−05", "−0.0041", "0.123", "12.3", "1,234"
    ]  # fmt: skip
    assert [words.reward(x) for x in (1.234, 0.004, 0, None)] == ["1.23", "0.004", "0.00", "unknown"]
    assert words.count(12345.0) == "12,345"
    assert words.rounded(79_496) == "79,000"
    assert words.rounded(84) == "84"
    assert [words.duration(s) for s in (4.21, 95, 3725)] == ["4.2 s", "1 min 35 s", "1 h 2 min"]
    assert words.span(interval(0.751, 0.814), "share") == "75.1 to 81.4%"
    assert words.span(interval(-0.01, 0.2), "points") == "−1.0 to +20.0"
    assert words.span(None, "share") == ""
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def test_hidden_characters_become_visible():
    assert words.visible("a\x00b\u202ec\ud800d\uffff\te\n") == "a⟨U+0000⟩b⟨U+202E⟩c⟨U+D800⟩d⟨U+FFFF⟩\te\n"
    assert words.visible("naïve 日本 🙂 ‘quoted’") == "naïve 日本 🙂 ‘quoted’"
