"""Rows of a score file as Parquet: the columns of `scores_file`, rewards as 64-bit floats, so no bit is lost.

`write_score_rows` is how a file of scores is written, in the format that its name says. Knows rows; knows no scorer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal, Protocol

from assay.artifacts.files import atomic_write, write_jsonl
from assay.scorers.protocol import chunks
from assay.scorers.scores_file import PairRow, PromptRow

ROWS = 4096  # a row group: small enough to hold, large enough to compress
Unit = Literal["pairs", "prompts"]
ScoreRow = PairRow | PromptRow


def write_score_rows(out: Path, rows: Iterable[ScoreRow], unit: Unit) -> int:
    """Write rows into one file at once, Parquet where its name ends in .parquet, else JSON lines; how many."""
    if out.suffix != ".parquet":
        return write_jsonl(out, rows)
    count = 0

    def counted() -> Iterator[ScoreRow]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    with atomic_write(out) as stream:
        write_table(stream, counted(), unit)
    return count


def write_table(stream: IO[bytes], rows: Iterable[ScoreRow], unit: Unit) -> None:
    """One Parquet file of `rows`."""
    import pyarrow
    from pyarrow import parquet

    heads = pyarrow.map_(pyarrow.string(), pyarrow.float64())
    reward, text = pyarrow.float64(), pyarrow.string()
    columns = {
        "pairs": {
            "pair_id": text, "chosen": reward, "rejected": reward, "reason": text,
            "heads": pyarrow.struct({"chosen": heads, "rejected": heads}),
        },
        "prompts": {
            "id": text, "scores": pyarrow.list_(reward), "reasons": pyarrow.list_(text),
            "heads": pyarrow.list_(heads),
        },
    }  # fmt: skip
    schema = pyarrow.schema(columns[unit])
    with parquet.ParquetWriter(stream, schema) as writer:
        for some in chunks(rows, ROWS):
            writer.write_table(pyarrow.Table.from_pylist(some, schema=schema))


class Column(Protocol):
    """What is used of a table that was read."""

    def to_pylist(self) -> list[dict[str, object]]: ...


def prompt_rows_of(table: Column) -> list[Mapping[str, object]]:
    """Rows of prompts as they were before `write_table`: what is null there is absent here."""
    return [_as_written(row) for row in table.to_pylist()]


def _as_written(row: Mapping[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in row.items() if value is not None}
    heads = kept.get("heads")
    if isinstance(heads, Sequence):
        kept["heads"] = [None if one is None else dict(one) for one in heads]
    return kept
