"""Bytes of an answer -> JSON, or in one line what they look like and what they say of an error."""

from __future__ import annotations

import json
from collections.abc import Mapping

import orjson

MOST_SHOWN = 200  # characters of a server's own words


def json_of(raw: bytes) -> object:
    """The JSON of a body, NaN and infinities included. Raises ValueError for what is none, or could not be kept."""
    try:
        found: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Python's own reader takes NaN, which is to be told as NaN and not as broken JSON.
        try:
            found = json.loads(raw)
            orjson.dumps(found)  # it takes half characters and numbers without end as well, which no artifact can hold
        except (RecursionError, TypeError) as error:
            raise ValueError(str(error)) from None
    return found


def kind_of_text(raw: bytes) -> str:
    """What an answer that is no JSON looks like."""
    start = raw.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")) else "something else than JSON"


def no_json(raw: bytes) -> str:
    """What came in place of JSON, with its beginning."""
    return f"{kind_of_text(raw)}, where JSON was expected" + (f": {excerpt(raw)!r}" if raw.strip() else "")


def said_of_error(raw: bytes) -> str:
    """What a server says of its error, with `: ` before; empty where it says nothing."""
    try:
        found = json_of(raw)
    except ValueError:
        kind = kind_of_text(raw)
        return {"nothing": "", "HTML": " with HTML"}.get(kind, f": {excerpt(raw)}")
    for key in ("error", "message", "detail"):
        while isinstance(found, Mapping) and key in found:
            found = found[key]
    words = one_line(str(found or ""))
    return f": {words}" if words else ""


def excerpt(raw: bytes) -> str:
    """The beginning of a body in one line."""
    return one_line(raw[: 20 * MOST_SHOWN].decode("utf-8", "replace"))


def one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 3] + "..."
