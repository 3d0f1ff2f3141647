"""What may come in place of JSON."""

from __future__ import annotations

import math

import pytest

from assay.endpoints.answer_bodies import json_of, no_json, said_of_error


def test_json_with_what_json_has_not() -> None:
    found = json_of(b'{"a": [NaN, -Infinity, 1e999]}')
    assert isinstance(found, dict)
    assert math.isnan(found["a"][0])
    assert found["a"][1:] == [-math.inf, math.inf]


@pytest.mark.parametrize(
    "raw",
    [b"", b"Hi", b"\xff\xfe", b"[" * 100_000, b'["\\ud800"]', b"[" + b"9" * 5000 + b", NaN]"],
    ids=["nothing", "words", "bytes", "nested", "half a character", "a number without end"],
)
def test_what_is_none_or_could_not_be_kept(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the reader says)
        json_of(raw)


def test_what_a_server_says() -> None:
    assert said_of_error(b'{"error": {"message": "out of\\nmemory"}}') == ": out of memory"
    assert said_of_error(b"<html>busy</html>") == " with HTML"
    assert said_of_error(b" too\n long ") == ": too long"
    assert said_of_error(b"") == said_of_error(b"{}") == ""
    assert len(said_of_error(b"x" * 10_000)) == 202
    assert no_json(b" <HTML>Sign  in") == "HTML, where JSON was expected: '<HTML>Sign in'"
