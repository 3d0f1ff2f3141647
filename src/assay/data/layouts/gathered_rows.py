"""Rows of which several make one (one a vote, one an answer) -> one row for all of them, wherever they stand; and
rows that hold several (a tree of messages) -> these.

1. A first walk counts the rows of each key. 2. A second gives each key's row once its last one has been read, with what
its rows say under GATHERED. Between the walks only digests and counts are held; in the second, of open keys their first
row and what the others say. A row that cannot be read stays by itself, to be rejected by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import Literal, NamedTuple

from assay.data.layouts.labels import Ballot
from assay.data.layouts.texts import UnfitError
from assay.data.sources.any_source import Source, parsed
from assay.data.sources.row import Row
from assay.data.text_ids import encoded
from assay.records import Reject, Text

GATHERED = "gathered"
UNREADABLE = (UnfitError, UnicodeEncodeError, AttributeError, IndexError, KeyError, TypeError, ValueError)
TURNED: Mapping[str, Literal["left", "right"]] = {"left": "right", "right": "left"}


class Gather(NamedTuple):
    """take: (key, digest of the left answer, what the row says) of a row. Raises UnfitError, as reading it would."""

    take: Callable[[Mapping[str, object]], tuple[bytes, bytes, object]]


Expand = Callable[[Row], Iterator[Row | Reject]]


@dataclass(slots=True)
class Open:
    """A key of which rows are still to come."""

    row: Row
    left: bytes
    said: list[object] = field(default_factory=list)


def texts_digest(prompt: Text, *answers: Text) -> bytes:
    """A key of a prompt and its answers, in whatever order. Raises UnicodeEncodeError for half a surrogate pair."""
    parts = (encoded(prompt), *sorted(map(encoded, answers)))
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def gathered(source: Source, gather: Gather) -> Source:
    """The source with one row a key, in the order in which their last rows stand."""
    return replace(source, rows=partial(gathered_rows, source, gather))


def gathered_rows(source: Source, gather: Gather) -> Iterator[Row | Reject]:
    counts: Counter[bytes] = Counter()
    for row in map(parsed, source.rows()):
        if isinstance(row, Row) and (taken := take(row, gather)) is not None:
            counts[taken[0]] += 1
    waiting: dict[bytes, Open] = {}
    for row in map(parsed, source.rows()):
        taken = take(row, gather) if isinstance(row, Row) else None
        if taken is None or isinstance(row, Reject):
            yield row
            continue
        key, left, said = taken
        found = waiting.setdefault(key, Open(row, left))
        found.said.append(turned(said) if left != found.left else said)
        if len(found.said) == counts[key]:
            del waiting[key]
            yield Row({**found.row.data, GATHERED: tuple(found.said)}, found.row.where)


def expanded(source: Source, expand: Expand) -> Source:
    """The source with the rows that each of its rows holds."""

    def rows() -> Iterator[Row | Reject]:
        for row in map(parsed, source.rows()):
            if isinstance(row, Row):
                yield from expand(row)
            else:
                yield row

    return replace(source, rows=rows)


def take(row: Row, gather: Gather) -> tuple[bytes, bytes, object] | None:
    """What a row gives; None where it cannot be read."""
    try:
        return gather.take(row.data)
    except UNREADABLE:
        return None


def turned(said: object) -> object:
    """A vote on the same two answers, stated in the other order."""
    if not isinstance(said, Ballot):
        return said
    return Ballot(
        outcome=TURNED.get(said.outcome, said.outcome),
        annotator=said.annotator,
        shown_left=None if said.shown_left is None else TURNED[said.shown_left],
    )
