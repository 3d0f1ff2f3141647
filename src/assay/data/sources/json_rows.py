"""JSON lines and JSON arrays -> rows, each with its line: the one reader of JSON that people or other tools wrote.

`json_lines` yields lines, parsed with `json_row` where they are wanted; `json_objects` reads a whole file for callers
that take no broken row. Whatever the bytes, each row comes out as a Row or as a Reject. Knows JSON; knows no layout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson

from assay.data.sources.encodings import conversion, encoding_advice, wide_encoding
from assay.data.sources.lines import BOM, Lines, LongLineError, opened, written
from assay.data.sources.row import Line, Row, WrittenNaN, unreadable
from assay.errors import InputError
from assay.records import Reject, Where

ARRAY_LIMIT = 2 * 2**30  # bytes of one JSON array, which has to be parsed whole
LARGEST = 2**63
MOST_DIGITS = 20  # of an integer that can have 64 bits
NOT_FINITE = re.compile(rb"\b(?:NaN|Infinity)\b")
KEY = re.compile(rb'"[ \t\r\n]*:')


def json_objects(path: Path, *, holds: str, called: str | None = None) -> Iterator[Row]:
    """The objects of a JSON-lines file or JSON array, `.gz` included, with their lines.

    holds: what a row should be, for the message. called: the file's name for people, in place of its path. Raises
    InputError at the first row that is no object.
    """
    with opened(path) as stream:
        for item in json_file(stream, called or written(path)):
            row = json_row(item.text, item.where) if isinstance(item, Line) else item
            if isinstance(row, Reject):
                raise InputError(f"{row.where}: not a JSON object ({row.detail}). {holds}")
            yield row


def json_lines(stream: IO[bytes], name: str) -> Iterator[Line | Reject]:
    """One line each, to be read with json_row; blank lines are no rows."""
    lines = Lines(stream, name)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except LongLineError as error:
            yield unreadable(Where(name, lines.number), "too_long", str(error), error.head)
            continue
        if not line.isspace() and line:
            yield Line(line, Where(name, lines.number))


def json_row(line: bytes, where: Where) -> Row | Reject:
    """One JSON object, or why it is none."""
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        data = lenient(line)
        if data is None:
            return broken_json(line, where, str(error))
    if type(data) is not dict:
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(data), "a number or truth value")
        hint = " A file that is one JSON array should be named .json." if type(data) is list else ""
        return unreadable(where, "bad_json", f"the line holds {kind}, not an object.{hint}", line)
    large: list[float] = []
    if not keys_once(line, count_keys(data, large)) and (twice := repeated_key(line)) is not None:
        return unreadable(where, "bad_json", f'the key "{twice}" occurs twice in one object', line)
    if large and isinstance(exact := exactly(line), dict):
        data = exact
    return Row(data, where)


def lenient(text: bytes) -> object:
    """What a JSON text holds whose only fault is NaN or Infinity, as Python writes them; None if it has another."""
    if NOT_FINITE.search(text) is None:
        return None
    try:
        return exactly(text)
    except (RecursionError, ValueError):
        return None


def written_constant(word: str) -> float:
    return WrittenNaN("nan") if word == "NaN" else float(word)


def exactly(text: bytes) -> object:
    """What a JSON text holds, long integers as text so that no digit is lost (they are names, such as ids), NaN as
    written. Raises ValueError, or RecursionError, where it is no JSON but for NaN and Infinity."""
    return json.loads(text.decode("utf-8"), parse_int=exact_integer, parse_constant=written_constant)


def exact_integer(digits: str) -> int | str:
    number = int(digits) if len(digits) <= MOST_DIGITS else 0
    return number if -LARGEST <= number < 2 * LARGEST and len(digits) <= MOST_DIGITS else digits


def keys_once(line: bytes, kept: int) -> bool:
    """Whether no object surely has a key twice, where `kept` keys were read; False means "look closer".

    Each key written has its colon. orjson keeps one of several equal keys: if as many keys were kept as there are
    colons (or quote-colons, where texts hold colons too), none was lost.
    """
    if line.count(b":") == kept:
        return True
    if line.count(b'":') == kept and not (b" :" in line or b"\t:" in line or b"\r:" in line):
        return True
    return len(KEY.findall(line)) == kept


def count_keys(value: dict[str, object] | list[object], large: list[float]) -> int:
    """Keys in a JSON value, at all depths (orjson reads at most 1,024 of them).

    large: gets every number that may be an integer of more than 64 bits, which orjson rounds to a float. One walk
    finds both, because this one costs a fifth of reading a row.
    """
    count, items = (len(value), value.values()) if type(value) is dict else (0, value)
    for item in items:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            count += count_keys(item, large)  # type: ignore[arg-type]
        elif kind is float and not -LARGEST < item < LARGEST:  # type: ignore[operator]
            large.append(item)  # type: ignore[arg-type]
    return count


def repeated_key(text: bytes) -> str | None:
    """The first key that occurs twice in one object of `text`, which is valid JSON."""
    found: list[str] = []

    def watch(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
            seen.add(key)

    try:
        json.loads(text, object_pairs_hook=watch)
    except (RecursionError, ValueError):
        return "(not found: nested too deeply)"
    return found[0] if found else None


def broken_json(line: bytes, where: Where, error: str) -> Reject:
    """Why a line is no JSON: broken UTF-8 and lone surrogates are the encoding's fault, the rest is not."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as problem:
        detail = f"not UTF-8 at byte {problem.start + 1} of the line{encoding_advice(line, where.source)}"
        return unreadable(where, "bad_encoding", detail, line)
    if "surrogate" in error:
        return unreadable(where, "bad_encoding", f"half of a surrogate pair: {error}", line)
    return unreadable(where, "bad_json", error, line)


def json_array(stream: IO[bytes], name: str) -> Iterator[Row | Reject]:
    """The objects of one JSON array; their line is their place in it, from 1. Raises InputError if it is no array."""
    text = stream.read(ARRAY_LIMIT + 1)
    if len(text) > ARRAY_LIMIT:
        raise InputError(f"{name}: a JSON array over 2 GiB. Make it JSON lines: jq -c '.[]' {name} > rows.jsonl")
    try:
        rows = orjson.loads(text.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        rows = lenient(text.removeprefix(BOM))
        if rows is None:
            found = encoding_advice(text, name)
            why = f"is not UTF-8{found}" if found else f"starts as a JSON array but cannot be read as one ({error})"
            raise InputError(f"{name}: {why}.") from None
    large: list[float] = []
    kept = count_keys(rows, large)
    if large:
        rows = exactly(text.removeprefix(BOM))
    if sum(1 for _ in KEY.finditer(text)) != kept and (twice := repeated_key(text)) is not None:
        raise InputError(f'{name}: the key "{twice}" occurs twice in one object, so one of its values would be lost.')
    for number, data in enumerate(rows, 1):
        where = Where(name, number)
        if type(data) is dict:
            yield Row(data, where)
        else:
            yield unreadable(where, "bad_json", f"the array holds a {type(data).__name__} here, not an object")


def json_file(stream: IO[bytes], name: str) -> Iterator[Row | Line | Reject]:
    """A .json file: one array, or lines."""
    # By its first sign and not by its name: many tools call JSON lines .json.
    head = stream.read(4096)
    stream.seek(0)
    if (wide := wide_encoding(head)) is not None:
        raise InputError(f"{name} is {wide}, not UTF-8. Convert it: {conversion(wide, name)}")
    if head.removeprefix(BOM).lstrip().startswith(b"["):
        yield from json_array(stream, name)
    else:
        yield from json_lines(stream, name)
