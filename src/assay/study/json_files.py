"""JSON lines and JSON arrays that people or other tools wrote -> objects with their place: the study's one reader.

A broken row is an error here, not a reject: a study is made of whole files or not at all.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Where


def json_lines(path: Path, *, holds: str) -> Iterator[Row]:
    """The objects of JSON lines, blank lines left out. holds: what a line should be, for the message.

    Raises InputError with file and line at the first line that is no object.
    """
    for number, line in enumerate(_bytes_of(path).splitlines(), start=1):
        if line.strip():
            yield Row(_object(line, Where(str(path), number), holds), Where(str(path), number))


def json_objects(path: Path, *, holds: str) -> Iterator[Row]:
    """The objects of a JSON array, by their place in it, or of JSON lines. Raises InputError for anything else."""
    raw = _bytes_of(path)
    if not raw.lstrip().startswith(b"["):
        yield from json_lines(path, holds=holds)
        return
    try:
        rows = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON, or cut off ({error}). {holds}") from None
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(
                f"{path}: the array holds a {type(row).__name__} at place {number}, not an object. {holds}"
            )
        yield Row(row, Where(str(path), number))


def _object(line: bytes, where: Where, holds: str) -> Mapping[str, object]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error}). {holds}") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: a JSON {type(row).__name__}, not an object. {holds}")
    return row


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Give a file of JSON lines.") from None
