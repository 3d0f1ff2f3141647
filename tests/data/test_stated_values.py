"""Values read from texts: what is equal however it is written, what is none, and every value found once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.stated_values import values_of


def read(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in values_of(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$1,250.00", "1250 dollars"),
        ("$1.5 million", "1,500,000 USD"),
        ("fourteen dollars", "$14"),
        ("14 days", "two weeks"),
        ("2-3 working days", "2 to 3 days"),
        ("24 months", "2 years"),
        ("3 March", "March 3rd"),
        ("2026-05-03", "May 3, 2026"),
        ("15%", "fifteen per cent"),
        ("8am-6pm", "8:00 a.m. to 6 pm"),
        ("5 p.m.", "17:00"),
        ("gray", "grey"),
    ],
)
def test_equal_values_are_equal_however_they_are_written(one: str, other: str) -> None:
    (first,), (second,) = values_of(f"It is {one}, then."), values_of(f"It is {other}, then.")
    assert first.same(second)
    assert second.same(first)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$14", "€14"),
        ("14 days", "14 weeks"),
        ("14", "14 days"),
        ("3 May 2026", "3 May 2027"),
        ("0412", "412"),  # a card's digits and a number
        ("8am", "8pm"),
        ("3-5 days", "3 days"),
    ],
)
def test_different_values_are_different(one: str, other: str) -> None:
    (first,), (second,) = values_of(f"It is {one}, then."), values_of(f"It is {other}, then.")
    assert not first.same(second)


def test_a_date_without_a_year_is_of_any_year() -> None:
    plain, dated, other = (values_of(text)[0] for text in ("3 May", "3 May 2026", "4 May 2026"))
    assert plain.same(dated)
    assert not plain.same(other)


def test_what_is_no_value() -> None:
    assert read("That one, and one more thing. One second!") == []
    assert read("Two things should help.") == []
    assert read("version 1.2.3") == []
    assert read("It may be so in march.") == []
    assert read("Two days.") == [("duration", "2 d")]


def test_a_sentence_by_hand() -> None:
    said = "Order 12345 (E7) of 3 items in navy: call on Monday 9-11, 8am-6pm, warranty to March 2027."
    assert read(said) == [
        ("code", "12345"),
        ("code", "E7"),
        ("number", "3"),
        ("colour", "navy"),
        ("weekday", "monday"),
        ("range", "9-11"),
        ("hours", "8:00-18:00"),
        ("month", "3 2027"),
    ]


@given(st.text(alphabet="0123456789 .,$%-/:apmMayone€£()\n", max_size=60))
def test_any_text_is_read_and_nothing_twice(text: str) -> None:
    found = values_of(text)
    assert all(first.end <= second.start for first, second in pairwise(found))
