"""Find out what a source is, and read its rows: files, folders, patterns, datasets, tables and objects in memory.

`locate` gives a Source, which can be walked again from the start; `read_rows` its rows. Knows sources; knows no layout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.data.config import DataConfig
from assay.data.sources.columnar import (
    ROWS_AT_ONCE,
    batch_rows,
    dataset_rows,
    hub_rows,
    one_split,
    parquet_rows,
    saved_rows,
)
from assay.data.sources.delimited import delimited
from assay.data.sources.json_rows import json_file, json_lines, json_row
from assay.data.sources.lines import opened, written
from assay.data.sources.row import Line, Row, unreadable
from assay.errors import InputError
from assay.records import Candidates, Pair, Reject, Where

Rows = Callable[[], Iterator[Row | Line | Reject]]
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")
DATASET_MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")


def json_line_rows(path: Path) -> Iterator[Line | Reject]:
    with opened(path) as stream:
        yield from json_lines(stream, written(path))


def json_rows(path: Path) -> Iterator[Row | Line | Reject]:
    with opened(path) as stream:
        yield from json_file(stream, written(path))


def delimited_rows(path: Path, *, delimiter: str | None) -> Iterator[Row | Reject]:
    with opened(path) as stream:
        yield from delimited(stream, written(path), delimiter=delimiter)


READERS: Mapping[str, Callable[[Path], Iterator[Row | Line | Reject]]] = {
    ".jsonl": json_line_rows,
    ".ndjson": json_line_rows,
    ".json": json_rows,
    ".csv": partial(delimited_rows, delimiter=None),
    ".tsv": partial(delimited_rows, delimiter="\t"),
    ".parquet": parquet_rows,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows that can be read again from the start, and the files they come from."""

    name: str
    rows: Rows
    files: tuple[Path, ...] = ()

    def inputs(self) -> dict[str, str]:
        """`sha256:...` of each file, by its name."""
        return {written(path): sha256_file(path) for path in self.files}


def read_rows(source: object, *, config: DataConfig | None = None) -> Iterator[Row | Reject]:
    """The rows of `source`, one after the other, each with its place; what cannot be read comes as a Reject.

    source: a path (file, folder, or pattern with *), a Hugging Face dataset id, dicts, Pairs, Candidates, or a table in
    memory.
    Raises InputError where a source as a whole cannot be used.
    """
    return map(parsed, locate(source, config=config or DataConfig()).rows())


def parsed(item: Row | Line | Reject) -> Row | Reject:
    """A row with its values, or why it has none."""
    return json_row(item.text, item.where) if isinstance(item, Line) else item


def locate(source: object, *, config: DataConfig) -> Source:
    """Find out what `source` is. Raises InputError if it is nothing that can be read."""
    if isinstance(source, Source):
        return source
    if isinstance(source, str | Path):
        return locate_path(source, config)
    return in_memory(source, config)


def locate_path(source: str | Path, config: DataConfig) -> Source:
    path, text = Path(source), str(source)
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise InputError(f"{text[:200]!r}: not a usable path ({error}).") from None
    if not there:
        if "*" in path.name and path.parent.is_dir():
            return of_files(text, sorted(path.parent.glob(path.name)))
        # A name with the suffix of a format is a file that was mistyped, and not to be looked for on the hub.
        if HUB_ID.fullmatch(text) and not suffix(path):
            return Source(name=text, rows=partial(hub_rows, text, config.split))
        raise InputError(f"{text}: no such file or folder. (A Hugging Face dataset id looks like owner/name.)")
    if path.is_dir():
        if any((path / mark).is_file() for mark in DATASET_MARKS):
            return Source(
                name=text, rows=partial(saved_rows, path, config.split), files=tuple(sorted(path.rglob("*.arrow")))
            )
        return of_files(text, sorted(p for p in path.rglob("*") if p.is_file() and suffix(p) and visible(p, path)))
    if not path.is_file():
        raise InputError(f"{text}: not a regular file. Data are read twice where rows conflict: save them to a file.")
    return of_files(text, [path])


def suffix(path: Path) -> str:
    """The suffix that names the format, `.gz` aside; empty for one that is not read."""
    name = path.name.lower().removesuffix(".gz")
    return next((known for known in READERS if name.endswith(known)), "")


def visible(path: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)


def of_files(name: str, files: Sequence[Path]) -> Source:
    """A source of files. Raises InputError if there are none, one is empty or one is of no known format."""
    known = ", ".join(READERS)
    if not files:
        raise InputError(f"{name}: holds no data files. Formats read: {known}, also with .gz.")
    for path in files:
        if not suffix(path):
            raise InputError(f"{path}: the name does not tell the format. Formats read: {known}, also with .gz.")
        if suffix(path) == ".parquet" and path.name.lower().endswith(".gz"):
            raise InputError(f"{path}: Parquet is compressed inside already. Unpack it first: gzip -d {path}")
    if not any(path.stat().st_size for path in files):
        raise InputError(f"{name} is empty: there is nothing to read.")

    def rows() -> Iterator[Row | Line | Reject]:
        for path in files:
            if path.stat().st_size:
                yield from READERS[suffix(path)](path)

    return Source(name=name, rows=rows, files=tuple(files))


def in_memory(source: object, config: DataConfig) -> Source:
    """Dicts, Pairs, Candidates, a pandas or Arrow table, or a datasets.Dataset."""
    name = "memory"
    # By what an object can do: asking for its class would import datasets, pandas and Arrow for everyone.
    if hasattr(source, "with_format") and hasattr(source, "features"):
        return Source(name=name, rows=partial(dataset_rows, source, name))
    if isinstance(source, Mapping) and all(hasattr(part, "with_format") for part in source.values()):
        return Source(name=name, rows=partial(dataset_rows, one_split(source, config.split, name), name))
    if hasattr(source, "to_batches"):
        return Source(name=name, rows=lambda: batch_rows(source.to_batches(ROWS_AT_ONCE), name))
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        return Source(name=name, rows=partial(listed_rows, source.to_dict("records"), name))
    if isinstance(source, Iterable) and not isinstance(source, bytes | Mapping):
        return Source(name=name, rows=partial(listed_rows, list(source), name))
    raise InputError(
        f"Cannot read rows from a {type(source).__name__}: give a path, dicts, Pairs, Candidates or a table."
    )


def listed_rows(items: Sequence[object], name: str) -> Iterator[Row | Reject]:
    from assay.data.native_rows import as_candidate_row, as_native

    for number, item in enumerate(items, 1):
        if isinstance(item, Pair):
            yield Row(as_native(item), item.where if item.where.line else Where(name, number))
        elif isinstance(item, Candidates):
            yield Row(as_candidate_row(item), item.where if item.where.line else Where(name, number))
        elif isinstance(item, Mapping):
            yield Row(item, Where(name, number))
        else:
            yield unreadable(Where(name, number), "bad_json", f"a {type(item).__name__}, not a row of named values")
