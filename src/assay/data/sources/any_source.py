"""Any source -> rows, streamed: files, folders, datasets, tables in memory. Knows sources; knows no layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from assay.artifacts.files import sha256_file
from assay.data.config import DataConfig
from assay.data.sources.row import Line, Row, unreadable
from assay.data.sources.text_files import delimited, json_file, json_lines, json_row, opened
from assay.errors import InputError
from assay.records import Pair, Reject, Where

Rows = Callable[[], Iterator[Row | Line | Reject]]
BATCH = 256  # rows of a columnar file held at once
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")
DATASET_MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")


def shown(path: Path) -> str:
    """A path as text that can be written; file names need not be UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def jsonl_rows(path: Path) -> Iterator[Line | Reject]:
    with opened(path) as stream:
        yield from json_lines(stream, shown(path))


def json_rows(path: Path) -> Iterator[Row | Line | Reject]:
    with opened(path) as stream:
        yield from json_file(stream, shown(path))


def delimited_rows(path: Path, *, delimiter: str | None) -> Iterator[Row | Reject]:
    with opened(path) as stream:
        yield from delimited(stream, shown(path), delimiter=delimiter)


def parquet_rows(path: Path) -> Iterator[Row | Reject]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            yield from batch_rows(file.iter_batches(batch_size=BATCH), shown(path))
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({error}).") from None


READERS: dict[
    str, Callable[[Path], Iterator[Row | Line | Reject] | Iterator[Row | Reject] | Iterator[Line | Reject]]
] = {
    ".jsonl": jsonl_rows,
    ".ndjson": jsonl_rows,
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
        return {shown(path): sha256_file(path) for path in self.files}


def read_rows(source: object, *, config: DataConfig | None = None) -> Iterator[Row | Reject]:
    """The rows of `source`, one after the other, each with its place; what cannot be read comes as a Reject.

    source: a path (file, folder, or pattern with *), a Hugging Face dataset id, dicts, Pairs, or a table in memory.
    Raises InputError where a source as a whole cannot be used.
    """
    return map(parsed, locate(source, config=config or DataConfig()).rows())


def parsed(item: Row | Line | Reject) -> Row | Reject:
    """A row with its values, or why it has none."""
    return json_row(item.text, item.where) if type(item) is Line else item  # type: ignore[return-value]


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
        if HUB_ID.fullmatch(text) and not suffix(path):
            return Source(name=text, rows=partial(hub_rows, text, config.split))
        raise InputError(f"{text}: no such file or folder. (A Hugging Face dataset id looks like owner/name.)")
    if path.is_dir():
        if any((path / mark).is_file() for mark in DATASET_MARKS):
            return Source(name=text, rows=partial(saved_rows, path, config.split), files=arrow_files(path))
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


def batch_rows(batches: Iterable[Any], name: str) -> Iterator[Row | Reject]:
    """Rows of Arrow batches; a batch with broken text is read row by row so that only the broken rows go."""
    number = 0
    for batch in batches:
        try:
            for data in batch.to_pylist():
                number += 1
                yield Row(data, Where(name, number))
        except UnicodeDecodeError:
            for place in range(batch.num_rows):
                number += 1
                yield arrow_row(batch.slice(place, 1), Where(name, number))


def arrow_row(one: Any, where: Where) -> Row | Reject:
    try:
        return Row(one.to_pylist()[0], where)
    except UnicodeDecodeError as error:
        return unreadable(where, "bad_encoding", f"not UTF-8: {error.reason}")


def arrow_files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.arrow")))


def saved_rows(folder: Path, split: str | None) -> Iterator[Row | Reject]:
    """Rows of a folder written by datasets' save_to_disk."""
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # datasets raises whatever its readers raise
        raise InputError(f"{folder}: looks like a saved dataset but cannot be opened ({error}).") from None
    yield from dataset_rows(one_split(loaded, split, str(folder)), str(folder))


def dataset_rows(table: Any, name: str) -> Iterator[Row | Reject]:
    yield from batch_rows(table.with_format("arrow").iter(batch_size=BATCH), name)


def one_split(loaded: Any, split: str | None, name: str) -> Any:
    """The split asked for, of a dataset that may have several. Raises InputError if it is not there."""
    if not isinstance(loaded, Mapping):
        if split is not None:
            raise InputError(f"{name}: has no splits, yet data.split is {split!r}. Leave it unset.")
        return loaded
    wanted = split or ("train" if "train" in loaded else next(iter(loaded)) if len(loaded) == 1 else "train")
    if wanted not in loaded:
        raise InputError(f"{name}: has no split {wanted!r}. Choose with data.split: {', '.join(loaded)}.")
    return loaded[wanted]


def hub_rows(name: str, split: str | None) -> Iterator[Row | Reject]:
    """Rows of a Hugging Face dataset, `owner/name` or `owner/name:configuration`, streamed."""
    import datasets

    repository, _, configuration = name.partition(":")
    try:
        stream = datasets.load_dataset(repository, configuration or None, split=split or "train", streaming=True)
        for number, data in enumerate(stream, 1):
            yield Row(data, Where(name, number))
    except InputError:
        raise
    except Exception as error:  # datasets and its network layers raise what they like
        raise InputError(
            f"{name}: no file or folder of that name, and as a Hugging Face dataset it cannot be read "
            f"({type(error).__name__}: {str(error)[:300]})."
        ) from None


def in_memory(source: object, config: DataConfig) -> Source:
    """Dicts, Pairs, a pandas or Arrow table, or a datasets.Dataset."""
    name = "memory"
    if hasattr(source, "with_format") and hasattr(source, "features"):
        return Source(name=name, rows=partial(dataset_rows, source, name))
    if isinstance(source, Mapping) and all(hasattr(part, "with_format") for part in source.values()):
        return Source(name=name, rows=partial(dataset_rows, one_split(source, config.split, name), name))
    if hasattr(source, "to_batches"):
        return Source(name=name, rows=lambda: batch_rows(source.to_batches(BATCH), name))
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        return Source(name=name, rows=partial(listed_rows, source.to_dict("records"), name))
    if isinstance(source, Iterable) and not isinstance(source, bytes | Mapping):
        return Source(name=name, rows=partial(listed_rows, list(source), name))
    raise InputError(f"Cannot read rows from a {type(source).__name__}: give a path, dicts, Pairs or a table.")


def listed_rows(items: Sequence[Any], name: str) -> Iterator[Row | Reject]:
    from assay.data.own_layout import as_native

    for number, item in enumerate(items, 1):
        if isinstance(item, Pair):
            yield Row(as_native(item), item.where if item.where.line else Where(name, number))
        elif isinstance(item, Mapping):
            yield Row(item, Where(name, number))
        else:
            yield unreadable(Where(name, number), "bad_json", f"a {type(item).__name__}, not a row of named values")
