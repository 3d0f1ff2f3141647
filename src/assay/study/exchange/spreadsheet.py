"""Texts into spreadsheet cells and back, exactly; tables of such cells as CSV. Knows cells; knows no study.

A spreadsheet runs a cell that starts with = + - @ (or a tab or line break before one) as a formula. Such a cell gets an
apostrophe in front, and so does one that starts with an apostrophe: taking one off gives the text back, always.
An empty cell is None; the empty text is a lone apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from assay.errors import InputError

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
# Python's own limit is 131,072 characters a cell, and an answer may be longer.
csv.field_size_limit(1 << 30)


def to_cell(value: object) -> str:
    """A value as a cell no spreadsheet runs."""
    if value is None:
        return ""
    text = str(value)
    return "'" + text if not text or text.startswith(RISKY) else text


def from_cell(cell: str) -> str | None:
    """The text of a cell that `to_cell` wrote; None where it wrote none."""
    return (cell.removeprefix("'")) if cell else None


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A table with every cell quoted: line breaks of any kind inside a cell stay what they are."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([to_cell(row.get(name)) for name in columns] for row in rows)
    return table.getvalue()


def from_csv(text: str, *, name: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table by their column, each with its number (1 is the first below the header); cells as they are.

    Comma, semicolon or tab, whichever the header has. Raises InputError for a torn table.
    """
    text = text.removeprefix("\ufeff")
    head = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [line for line in reader if any(line)]
    except csv.Error as error:
        raise InputError(f"{name}: the table breaks near line {reader.line_num} ({error}). Save it again.") from None
    if not lines:
        raise InputError(f"{name}: empty. Expected a table with a header.")
    header = [column.strip() for column in lines[0]]
    if len(set(header)) < len(header):
        raise InputError(f"{name}: a column stands twice in the header ({', '.join(header)}).")
    found = []
    for number, line in enumerate(lines[1:], start=1):
        if len(line) > len(header):
            raise InputError(f"{name}: row {number} has {len(line)} cells under {len(header)} columns. Save it again.")
        found.append((number, dict(zip(header, [*line, *[""] * (len(header) - len(line))], strict=True))))
    return found
