"""Text under a header line, separated by commas, tabs or semicolons -> rows. Knows cells; knows no layout.

Each row comes out as a Row or as a Reject with the line on which it starts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO, Literal

from assay.data.sources.lines import LINE_LIMIT, Lines, LongLineError
from assay.data.sources.row import Row, unreadable
from assay.errors import InputError
from assay.records import Reject, RejectReason, Where

Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE


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
    quoting: Quoting = csv.QUOTE_NONE if raw else csv.QUOTE_MINIMAL
    yield from records(cells, header_row(head, name, comma, quoting), comma=comma, quoting=quoting)


def records(cells: Cells, header: list[str], *, comma: str, quoting: Quoting) -> Iterator[Row | Reject]:
    """Rows of cells under these column names."""
    reader = csv.reader(cells, delimiter=comma, quoting=quoting, strict=True)
    lines, name = cells.lines, cells.lines.name
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


def header_row(head: str, name: str, comma: str, quoting: Quoting) -> list[str]:
    """The column names. Raises InputError if there are none or one stands twice."""
    try:
        header = [
            field.strip() for field in next(csv.reader([head], delimiter=comma, quoting=quoting, strict=True), [])
        ]
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
