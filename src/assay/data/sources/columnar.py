"""Columns -> rows: Parquet files, Arrow tables, datasets saved to disk or on the hub. Knows Arrow; knows no layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from assay.data.sources.lines import written
from assay.data.sources.row import Row, unreadable
from assay.errors import InputError
from assay.records import Reject, Where

ROWS_AT_ONCE = 256  # rows of a columnar file held at once


class Batch(Protocol):
    """What is used of an Arrow record batch."""

    num_rows: int

    def to_pylist(self) -> list[dict[str, object]]: ...
    def slice(self, offset: int, length: int) -> Batch: ...


class ArrowView(Protocol):
    """What is used of a dataset that gives Arrow batches."""

    def iter(self, batch_size: int) -> Iterable[Batch]: ...


class Table(Protocol):
    """What is used of a dataset of the datasets library."""

    def with_format(self, kind: str) -> ArrowView: ...


def parquet_rows(path: Path, *, called: str | None = None) -> Iterator[Row | Reject]:
    """called: the file's name for people, in place of its path. Raises InputError where it is no Parquet."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            yield from batch_rows(file.iter_batches(batch_size=ROWS_AT_ONCE), called or written(path))
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{called or path}: cannot be read as Parquet ({error}).") from None


def batch_rows(batches: Iterable[Batch], name: str) -> Iterator[Row | Reject]:
    """Rows of Arrow batches; a batch with broken text is read row by row so that only the broken rows go."""
    number = 0
    for batch in batches:
        try:
            for data in batch.to_pylist():
                number += 1
                yield Row(data, Where(name, number))
        # `to_pylist` converts all or nothing, so no row of this batch has been counted yet.
        except UnicodeDecodeError:
            for place in range(batch.num_rows):
                number += 1
                yield arrow_row(batch.slice(place, 1), Where(name, number))


def arrow_row(one: Batch, where: Where) -> Row | Reject:
    try:
        return Row(one.to_pylist()[0], where)
    except UnicodeDecodeError as error:
        return unreadable(where, "bad_encoding", f"not UTF-8: {error.reason}")


def saved_rows(folder: Path, split: str | None) -> Iterator[Row | Reject]:
    """Rows of a folder written by datasets' save_to_disk."""
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # datasets raises whatever its readers raise
        raise InputError(f"{folder}: looks like a saved dataset but cannot be opened ({error}).") from None
    yield from dataset_rows(one_split(loaded, split, str(folder)), str(folder))


def dataset_rows(table: Table, name: str) -> Iterator[Row | Reject]:
    yield from batch_rows(table.with_format("arrow").iter(batch_size=ROWS_AT_ONCE), name)


def one_split(loaded: Table | Mapping[str, Table], split: str | None, name: str) -> Table:
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
