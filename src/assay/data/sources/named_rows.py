"""Files of rows with names -> rows, each with its line: JSON lines, a JSON array or Parquet, told by the file's name.

For callers that take no broken row: files of candidates, prompts and answers. Knows formats; knows no layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assay.data.sources.columnar import parquet_rows
from assay.data.sources.json_rows import json_objects
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Reject

TABLE = ".parquet"
KINDS = frozenset({".jsonl", ".json", ".ndjson", TABLE})


def named_rows(path: Path, *, holds: str, called: str | None = None) -> Iterator[Row]:
    """The rows of a file, `.gz` included where it is JSON. Raises InputError at the first that cannot be read.

    holds: what a row should be, for the message. called: what the file is to be called in place of its path.
    """
    if path.suffix != TABLE:
        yield from json_objects(path, holds=holds, called=called)
        return
    for row in parquet_rows(path, called=called):
        if isinstance(row, Reject):
            raise InputError(f"{row.where}: {row.detail}. {holds}")
        yield row


def reads_as_rows(path: Path) -> bool:
    """Whether a path is a file whose name says that it holds rows with names."""
    return path.is_file() and bool(KINDS & set(path.suffixes))
