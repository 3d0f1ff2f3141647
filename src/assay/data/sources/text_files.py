"""Bytes of a file -> rows, for JSON lines, JSON arrays and delimited text. Knows bytes and lines; knows no layout.

Whatever the bytes, each row comes out as a Row or as a Reject with its line; memory stays within a few LINE_LIMIT.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from assay.data.sources.row import Line, Row, unreadable
from assay.errors import InputError
from assay.records import Reject, RejectReason, Where

LINE_LIMIT = 16 * 2**20  # bytes of one line; the rest of a longer one is skipped and the row rejected
ARRAY_LIMIT = 2 * 2**30  # bytes of one JSON array, which has to be parsed whole
BOM = b"\xef\xbb\xbf"
WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16 and UTF-32
KEY = re.compile(rb'"[ \t\r\n]*:')


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked where they start as gzip does. Raises InputError if they cannot be had."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            yield io.BufferedReader(stream, 2**20) if packed else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: the gzip data is cut off or damaged ({error}). Nothing after that point can be read: "
            "fetch the file again, or unpack what there is with `gzip -dc` and check that."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


class Lines:
    """Lines of a stream with their numbers, none longer than LINE_LIMIT; an iterator that survives what it raises.

    `number` is the last line's, from 1. Raises LongLineError in place of a line that is too long, which is skipped.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream, self.name, self.number = stream, name, 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> bytes:
        line = self.stream.readline(LINE_LIMIT + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            if line.startswith(WIDE):
                raise InputError(f"{self.name} is UTF-16 or UTF-32. Convert it: iconv -f UTF-16 -t UTF-8 {self.name}")
            line = line.removeprefix(BOM)
        if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
            size = len(line)
            while (more := self.stream.readline(2**20)) and not more.endswith(b"\n"):
                size += len(more)
            raise LongLineError(size + len(more), line[:4096])
        return line


class LongLineError(Exception):
    """A line longer than LINE_LIMIT."""

    def __init__(self, size: int, head: bytes) -> None:
        super().__init__(f"the line has {size:,} bytes; at most {LINE_LIMIT:,} are read")
        self.head = head


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
        return broken_json(line, where, str(error))
    if type(data) is not dict:
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(data), "a number or truth value")
        hint = " A file that is one JSON array should be named .json." if type(data) is list else ""
        return unreadable(where, "bad_json", f"the line holds {kind}, not an object.{hint}", line)
    if not keys_once(line, data) and (twice := repeated_key(line)) is not None:
        return unreadable(where, "bad_json", f'the key "{twice}" occurs twice in one object', line)
    return Row(data, where)


def keys_once(line: bytes, data: dict[str, Any]) -> bool:
    """Whether no object surely has a key twice; False means "look closer".

    Each key written has its colon. orjson keeps one of several equal keys: if as many keys were kept as there are
    colons (or quote-colons, where texts hold colons too), none was lost.
    """
    kept = count_keys(data)
    if line.count(b":") == kept:
        return True
    if line.count(b'":') == kept and not (b" :" in line or b"\t:" in line or b"\r:" in line):
        return True
    return len(KEY.findall(line)) == kept


def count_keys(value: Any) -> int:
    """Keys in a JSON value, at all depths (orjson reads at most 1,024 of them)."""
    count, items = (len(value), value.values()) if type(value) is dict else (0, value)
    for item in items:
        if type(item) is dict or type(item) is list:
            count += count_keys(item)
    return count


def repeated_key(text: bytes) -> str | None:
    """The first key that occurs twice in one object of `text`, which is valid JSON."""
    found: list[str] = []

    def watch(pairs: list[tuple[str, Any]]) -> None:
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
        return unreadable(where, "bad_encoding", f"not UTF-8 at byte {problem.start + 1} of the line", line)
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
        raise InputError(f"{name}: starts as a JSON array but cannot be read as one ({error}).") from None
    if sum(1 for _ in KEY.finditer(text)) != count_keys(rows) and (twice := repeated_key(text)) is not None:
        raise InputError(f'{name}: the key "{twice}" occurs twice in one object, so one of its values would be lost.')
    for number, data in enumerate(rows, 1):
        where = Where(name, number)
        if type(data) is dict:
            yield Row(data, where)
        else:
            yield unreadable(where, "bad_json", f"the array holds a {type(data).__name__} here, not an object")


def json_file(stream: IO[bytes], name: str) -> Iterator[Row | Line | Reject]:
    """A .json file: one array, or lines."""
    head = stream.read(4096)
    stream.seek(0)
    if head.removeprefix(BOM).lstrip().startswith(b"["):
        yield from json_array(stream, name)
    else:
        yield from json_lines(stream, name)


class Cells:
    """Lines as text for csv.reader; remembers whether one since the last look was not UTF-8."""

    def __init__(self, lines: Lines) -> None:
        self.lines, self.broken = lines, False

    def __iter__(self) -> Cells:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.broken = True
            return line.decode("utf-8", "replace")


def delimited(stream: IO[bytes], name: str, *, delimiter: str | None) -> Iterator[Row | Reject]:
    """Rows under a header line. delimiter None: the commonest of comma, tab and semicolon in the header."""
    lines = Lines(stream, name)
    cells = Cells(lines)
    try:
        head = next(cells)
    except StopIteration:
        return
    except LongLineError as error:
        raise InputError(f"{name}: no header: {error}.") from None
    comma = delimiter or max(",\t;", key=head.count)
    raw = head.startswith("#") and comma == "\t"  # tab-separated text under a "#id" header quotes nothing
    options: dict[str, Any] = {
        "delimiter": comma,
        "quoting": csv.QUOTE_NONE if raw else csv.QUOTE_MINIMAL,
        "strict": True,
    }
    header = header_row(head, name, options)
    reader = csv.reader(cells, **options)
    while True:
        start, cells.broken = lines.number + 1, False
        try:
            fields = next_record(reader)
        except StopIteration:
            return
        except (csv.Error, LongLineError) as error:
            reason: RejectReason = (
                "too_long" if isinstance(error, LongLineError) or "limit" in str(error) else "bad_json"
            )
            yield unreadable(Where(name, start), reason, f"not a row of a delimited table: {error}")
            continue
        if fields:
            yield cells_row(fields, header, Where(name, start), "broken" if cells.broken else "sound")


def header_row(head: str, name: str, options: dict[str, Any]) -> list[str]:
    """The column names. Raises InputError if there are none or one stands twice."""
    try:
        header = [field.strip() for field in next(csv.reader([head], **options), [])]
    except csv.Error as error:
        raise InputError(f"{name}: the header line cannot be read ({error}).") from None
    twice = {field for field in header if header.count(field) > 1 and field}
    if twice:
        raise InputError(f"{name}: the column {sorted(twice)[0]!r} stands twice in the header. Rename one of them.")
    return header


def next_record(reader: Iterator[list[str]]) -> list[str]:
    """The next record, fields up to LINE_LIMIT: the csv module's own limit is global, so it is put back."""
    before = csv.field_size_limit(LINE_LIMIT)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


def cells_row(fields: list[str], header: list[str], where: Where, encoding: str) -> Row | Reject:
    if encoding == "broken":
        return unreadable(where, "bad_encoding", "the row is not UTF-8", "\t".join(fields)[:2000])
    if len(fields) != len(header):
        reason: RejectReason = "missing_field" if len(fields) < len(header) else "bad_json"
        detail = f"{len(fields)} fields under {len(header)} columns: is a separator or quote missing or left over?"
        return unreadable(where, reason, detail, "\t".join(fields)[:2000])
    return Row(dict(zip(header, fields, strict=True)), where)
