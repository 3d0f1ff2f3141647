"""What a server may write in Retry-After, and what it is taken for."""

from __future__ import annotations

import random
import time
from email.utils import formatdate

import pytest

from assay.endpoints.retry_after import LONGEST_BACKOFF, backoff, retry_after


def test_retry_after_as_number_and_as_date() -> None:
    now = 1_700_000_000.0
    assert retry_after("7") == 7.0
    assert retry_after(formatdate(now + 60, usegmt=True), now=lambda: now) == 60.0
    assert retry_after(formatdate(now - 60, usegmt=True), now=lambda: now) == 0.0
    assert [retry_after(text) for text in (None, "", "soon", "-3", "inf", "nan", "1e9", "9" * 400, "²")] == [None] * 9


def test_fractions_are_taken() -> None:
    assert [retry_after(text) for text in ("0.3", " 1.5 ", ".5", "2.")] == [0.3, 1.5, 0.5, 2.0]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_date_is_in_gmt_in_each_of_its_three_spellings(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9110, 5.6.7, with its own example: 784111777 seconds after 1970."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    spellings = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
    assert [retry_after(text, now=lambda: 784111770.0) for text in spellings] == [7.0] * 3
    monkeypatch.undo()
    time.tzset()


def test_back_off_doubles_and_ends() -> None:
    spread = random.Random(0)
    for attempt, most in ((0, 0.5), (1, 1.0), (4, 8.0), (7, LONGEST_BACKOFF), (99_999, LONGEST_BACKOFF)):
        waits = [backoff(0.5, attempt, spread) for _ in range(200)]
        assert most / 2 <= min(waits) < 0.6 * most < 0.9 * most < max(waits) <= most
