"""A row as it was read, before anyone asks what it means. Knows where it stood; knows no layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from assay.records import Reject, RejectReason, Where

EXCERPT = 2000  # characters of an unreadable row that go into its reject


class WrittenNaN(float):
    """NaN as it stands in a JSON file: somebody's number that is none, where a table's NaN is an empty cell."""


class Row(NamedTuple):
    """Columns and values of one row, and where it stood."""

    data: Mapping[str, object]
    where: Where


class Line(NamedTuple):
    """One row of JSON lines, not parsed yet: a second walk parses only the rows it wants."""

    text: bytes
    where: Where


def unreadable(where: Where, reason: RejectReason, detail: str, raw: bytes | str = b"") -> Reject:
    """The reject of a row that could not be read, with the head of what stood there."""
    text = raw[: 4 * EXCERPT].decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return Reject(where=where, reason=reason, detail=detail, row={"raw": text[:EXCERPT]} if text else None)
