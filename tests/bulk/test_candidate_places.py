"""Candidates of files, folders and stores: all of them, in order, under names that tell them apart."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from assay.bulk.candidate_places import candidates_at
from assay.bulk.folders import open_folder
from assay.errors import InputError
from assay.policies.prompt_files import read_prompts
from assay.records import Message

ROWS = [
    {"id": "a", "prompt": "May I?", "answers": ["Yes.", "No."]},
    {"prompt": "And now?", "answers": ["Later."]},
]
CHAT = [{"prompt": [{"role": "user", "content": "Hello"}], "answers": ["Hi.", "Ho."]}]


def lines(rows: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def table(rows: list[dict[str, object]]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("c.jsonl", lines),
        ("c.jsonl.gz", lambda rows: gzip.compress(lines(rows))),
        ("c.parquet", table),
    ],
)
def test_one_file_is_read_whatever_its_format(
    name: str, body: Callable[[list[dict[str, object]]], bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(body(ROWS))
    found = list(candidates_at(str(path)))
    assert [(one.id, one.prompt, one.answers) for one in found] == [
        ("a", "May I?", ("Yes.", "No.")),
        ("2", "And now?", ("Later.",)),
    ]
    assert [prompt.text for prompt in read_prompts(path)] == ["May I?", "And now?"]


def test_chats_in_a_table_are_chats(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(table(CHAT))
    (one,) = candidates_at(str(tmp_path / "c.parquet"))
    assert one.prompt == (Message(role="user", content="Hello"),)


@pytest.mark.parametrize("place", ["path", "file", "memory"])
def test_a_folder_is_read_in_the_order_of_names(place: str, tmp_path: Path) -> None:
    address = {"path": f"{tmp_path}/in", "file": f"file://{tmp_path}/in", "memory": f"memory://in-{tmp_path.name}"}[
        place
    ]
    folder = open_folder(address)
    folder.write("part-2.jsonl.gz", gzip.compress(lines(ROWS[1:])))
    folder.write("part-1.parquet", table(CHAT))
    folder.write("_assay.json", b"{}")
    folder.write("notes.txt", b"not data")
    folder.write("part-3.jsonl.part", lines(ROWS))  # which assay generate has of a file until all of it is written
    assert [one.id for one in candidates_at(address)] == ["part-1.parquet:1", "part-2.jsonl.gz:1"]
    if place != "path":
        assert [one.id for one in candidates_at(f"{address}/part-2.jsonl.gz")] == ["part-2.jsonl.gz:1"]


def test_what_holds_no_candidates_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file, or no file of"):
        next(candidates_at(str(tmp_path / "nothing")))
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_bytes(lines([{"prompt": "May I?", "chosen": "Yes.", "rejected": "No."}]))
    with pytest.raises(InputError, match="neither candidates nor an answer"):
        next(candidates_at(str(pairs)))
