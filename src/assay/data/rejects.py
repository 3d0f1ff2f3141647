"""Rejects into files: rejects.jsonl, and review.jsonl for those a person can decide. Judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from assay.artifacts.files import atomic_write, dumps
from assay.records import REVIEW_REASONS, Reject


def write_rejects(folder: Path, rejects: Iterable[Reject]) -> None:
    """Write rejects.jsonl and review.jsonl to `folder`, each whole or not at all."""
    with ExitStack() as stack:
        write = reject_writer(stack, folder)
        for reject in rejects:
            write(reject)


def reject_writer(stack: ExitStack, folder: Path | None) -> Callable[[Reject], None]:
    """Writes a reject to rejects.jsonl and, where it can be adjudicated, its row to review.jsonl."""
    if folder is None:
        return lambda reject: None
    rejects = stack.enter_context(atomic_write(folder / "rejects.jsonl"))
    review = stack.enter_context(atomic_write(folder / "review.jsonl"))

    def write(reject: Reject) -> None:
        put(rejects, reject_row(reject))
        if reject.reason in REVIEW_REASONS:
            put(review, {**(reject.row or {}), "review": reject_row(reject, row=None)})

    return write


def reject_row(reject: Reject, **changed: object) -> dict[str, object]:
    """A reject as it is written; its row only where it will not be in review.jsonl."""
    row = None if reject.reason in REVIEW_REASONS | {"duplicate"} else reject.row
    found: dict[str, object] = {
        "where": {"source": reject.where.source, "line": reject.where.line},
        "reason": reject.reason,
        "detail": reject.detail,
        "side": reject.side,
        "category": reject.category,
        "row": row,
    } | changed
    return {key: value for key, value in found.items() if value is not None}


def put(stream: IO[bytes], row: Mapping[str, object]) -> None:
    """Write one line; what JSON cannot hold (half a surrogate pair, a depth of hundreds) is written as plain text."""
    try:
        line = dumps(row)
    except TypeError:
        line = dumps({key: value if key == "where" else plainly(value) for key, value in row.items()})
    stream.write(line + b"\n")


def plainly(value: object) -> object:
    """A value that JSON can hold, for one that may not be."""
    try:
        dumps(value)
    except TypeError:
        try:
            text = str(value)
        except RecursionError:
            text = f"(a {type(value).__name__}, nested too deeply to show)"
        return text.encode("utf-8", "backslashreplace").decode()[:2000]
    return value
