"""Bytes to rows: whatever stands in a file, each row is a pair or a reject with its place."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.data import check, read_pairs
from assay.data.config import DataConfig
from assay.data.sources import json_rows
from assay.data.sources import lines as source_lines
from assay.data.sources.any_source import read_rows
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Pair, Reject

GOOD = {"prompt": "What is gold?", "chosen": "A metal.", "rejected": "A fish."}


def good(number: int = 0) -> dict[str, object]:
    return {**GOOD, "prompt": f"What is gold, number {number}?"}


def lines(*rows: object) -> bytes:
    return b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows)


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def reasons(path: object, **config: object) -> list[tuple[int, str]]:
    """(line, reason) of each reject; and the law that counts add up."""
    found = read_pairs(path, config=DataConfig(**config))
    assert len(found.pairs) + len(found.rejects) == found.rows == found.report.rows
    return [(reject.where.line, reject.reason) for reject in found.rejects]


# --- JSON lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "bad_json"),
        (b"[1, 2]", "bad_json"),
        (b'"text"', "bad_json"),
        (b"null", "bad_json"),
        (b"\x00\x00", "bad_json"),
        (b'{"prompt": "a\x00b", "chosen": "x", "rejected": "y"}', "bad_json"),
        (b'{"prompt": "p", "chosen": "x", "rejected": "y", "margin": NaN}', "missing_field"),
        (b"[" * 100_000 + b"]" * 100_000, "bad_json"),
        (b'{"prompt":' * 3000 + b"1" + b"}" * 3000, "bad_json"),
        (b'{"prompt": "p\xff", "chosen": "x", "rejected": "y"}', "bad_encoding"),
        (b'{"prompt": "p\\ud800", "chosen": "x", "rejected": "y"}', "bad_encoding"),
        (b'{"prompt": "p", "chosen": "x", "rejected": "y", "rejected": "z"}', "bad_json"),
        (b'{"prompt": "p", "chosen" :"a: b", "rejected": "y", "chosen" :"z"}', "bad_json"),
        (b'{"prompt": "p", "chosen": "x", "rejected": "y", "source": {"a": 1, "a": 2}}', "bad_json"),
        (b'{"prompt": 7, "chosen": "x", "rejected": "y"}', "not_text"),
        (b'{"prompt": "p", "chosen": true, "rejected": "y"}', "not_text"),
        (b'{"prompt": "p", "chosen": {"a": 1}, "rejected": "y"}', "not_text"),
        (b'{"prompt": "p", "chosen": [1], "rejected": "y"}', "not_text"),
        (b'{"prompt": "p", "chosen": null, "rejected": "y"}', "missing_field"),
        (b'{"prompt": "p", "rejected": "y"}', "missing_field"),
        (b'{"prompt": " \\n", "chosen": "x", "rejected": "y"}', "missing_field"),
        (b'{"prompt": "p", "chosen": " \\t", "rejected": "y"}', "empty_candidate"),
        (b'{"prompt": "p", "chosen": "y ", "rejected": "y"}', "identical_candidates"),
        (b'{"prompt": "p", "chosen": "x", "rejected": "y", "margin": -1}', "missing_field"),
        (b'{"prompt": "p", "chosen": "x", "rejected": "y", "category": ["a"]}', "not_text"),
    ],
)
def test_a_bad_line_is_a_reject_with_its_line_and_reason(tmp_path: Path, line: bytes, reason: str) -> None:
    path = write(tmp_path, "pairs.jsonl", lines(good(1), line, good(2)))
    assert reasons(path) == [(2, reason)]


def test_a_text_that_looks_like_keys_is_no_repeated_key(tmp_path: Path) -> None:
    row = {**GOOD, "chosen": 'He said "chosen": and "chosen" : twice, time 10:30'}
    assert reasons(write(tmp_path, "pairs.jsonl", lines(row))) == []


def test_byte_order_mark_crlf_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + b"\r\n".join([orjson.dumps(good(1)), b"", b"   ", orjson.dumps(good(2))])
    found = read_pairs(write(tmp_path, "pairs.jsonl", data))
    assert [pair.where.line for pair in found.pairs] == [1, 4]
    assert found.rows == 2


def test_a_long_line_is_passed_over_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_lines, "LINE_LIMIT", 1000)
    long = orjson.dumps({**GOOD, "chosen": "x" * 5_000_000})
    path = write(tmp_path, "pairs.jsonl", lines(good(1), long, good(2), long))
    assert reasons(path) == [(2, "too_long"), (4, "too_long")]
    assert f"{len(long) + 1:,} bytes" in read_pairs(path).rejects[0].detail


@pytest.mark.slow
def test_a_line_of_100_megabytes_takes_no_100_megabytes(tmp_path: Path) -> None:
    import tracemalloc

    path = write(tmp_path, "pairs.jsonl", lines(good(1), b'{"chosen": "' + b"x" * 100_000_000 + b'"}', good(2)))
    tracemalloc.start()
    assert [type(item).__name__ for item in read_rows(path)] == ["Row", "Reject", "Row"]
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf16_is_refused_with_the_way_out(tmp_path: Path, mark: bytes) -> None:
    path = write(tmp_path, "pairs.jsonl", mark + json.dumps(GOOD).encode("utf-16-le"))
    with pytest.raises(InputError, match="iconv"):
        read_pairs(path)


# --- files as a whole -------------------------------------------------------------------------------------------------


def test_an_empty_file_a_missing_one_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        read_pairs(write(tmp_path, "pairs.jsonl", b""))
    with pytest.raises(InputError, match="no such file"):
        read_pairs(tmp_path / "nothing.jsonl")
    with pytest.raises(InputError, match="does not tell the format"):
        read_pairs(write(tmp_path, "pairs.docx", b"x"))
    with pytest.raises(InputError, match=r"no such file|not a usable path"):
        read_pairs("a\0b")
    with pytest.raises(InputError, match=r"no such file|not a usable path"):
        read_pairs("a" * 5000)


def test_a_directory_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").mkdir()
    with pytest.raises(InputError, match="no data files"):
        read_pairs(tmp_path / "pairs.jsonl")


def test_a_folder_of_files_of_several_kinds(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", lines(good(1)))
    write(tmp_path, "b.jsonl.gz", gzip.compress(lines(good(2), b"{")))
    write(tmp_path, "c.csv", b"prompt,chosen,rejected\np3,x,y\n")
    write(tmp_path, "README.md", b"not data")
    found = read_pairs(tmp_path)
    assert (found.rows, len(found.pairs)) == (4, 3)
    assert [Path(name).name for name in found.report.inputs] == ["a.jsonl", "b.jsonl.gz", "c.csv"]
    assert str(found.rejects[0].where).endswith("b.jsonl.gz:2")


def test_a_pattern_chooses_files(tmp_path: Path) -> None:
    write(tmp_path, "a1.jsonl", lines(good(1)))
    write(tmp_path, "b1.jsonl", lines(good(2)))
    assert read_pairs(f"{tmp_path}/a*.jsonl").rows == 1


@pytest.mark.parametrize("cut", [12, 60, -9])
def test_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(lines(*(good(n) for n in range(100))))
    with pytest.raises(InputError, match="gzip"):
        read_pairs(write(tmp_path, "pairs.jsonl.gz", packed[:cut]))


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    assert read_pairs(write(tmp_path, "a.jsonl", gzip.compress(lines(good(1))))).rows == 1
    assert read_pairs(write(tmp_path, "b.jsonl.gz", lines(good(1)))).rows == 1


def test_json_arrays_and_lines_under_the_same_suffix(tmp_path: Path) -> None:
    array = json.dumps([good(1), 3, good(2)], indent=1).encode()
    assert reasons(write(tmp_path, "a.json", array)) == [(2, "bad_json")]
    assert reasons(write(tmp_path, "b.json", lines(good(1), good(2)))) == []
    with pytest.raises(InputError, match="cannot be read as one"):
        read_pairs(write(tmp_path, "c.json", array[:-5]))
    with pytest.raises(InputError, match="twice"):
        read_pairs(write(tmp_path, "d.json", b'[{"prompt": "p", "chosen": "x", "chosen": "z", "rejected": "y"}]'))


# --- delimited text ---------------------------------------------------------------------------------------------------


def table(*rows: bytes) -> bytes:
    return b"\n".join([b"prompt,chosen,rejected", *rows]) + b"\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"p,x", "missing_field"),
        (b"p,x,y,z", "bad_json"),
        (b'p,"x"z,y', "bad_json"),
        (b"p,\xff,y", "bad_encoding"),
        (b"p,,y", "empty_candidate"),
        (b"p,a\rb,y", "bad_json"),
    ],
)
def test_a_bad_csv_row(tmp_path: Path, row: bytes, reason: str) -> None:
    path = write(tmp_path, "pairs.csv", table(b"p1,x,y", row, b"p2,x,y"))
    assert reasons(path) == [(3, reason)]


def test_csv_places_are_where_rows_start(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.csv", table(b'p1,"x\nover\nlines",y', b"p2,x", b"p3,x,y"))
    found = read_pairs(path)
    assert [pair.where.line for pair in found.pairs] == [2, 6]
    assert [reject.where.line for reject in found.rejects] == [5]


def test_an_open_quote_swallows_rows_but_not_silently(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.csv", table(b"p1,x,y", b'p2,"x,y', b"p3,x,y"))
    assert reasons(path) == [(3, "bad_json")]


def test_csv_fields_larger_than_the_csv_modules_own_limit(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    path = write(tmp_path, "pairs.csv", table(b"p1," + b"x" * 200_000 + b",y"))
    assert len(read_pairs(path).pairs[0].chosen) == 200_000
    assert csv.field_size_limit() == limit


def test_semicolons_tabs_and_a_byte_order_mark(tmp_path: Path) -> None:
    assert (
        read_pairs(write(tmp_path, "a.csv", b"\xef\xbb\xbfprompt;chosen;rejected\r\np;x,1;y\r\n")).pairs[0].chosen
        == "x,1"
    )
    assert read_pairs(write(tmp_path, "a.tsv", b'prompt\tchosen\trejected\np\t"x\t1"\ty\n')).pairs[0].chosen == "x\t1"


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stands twice"):
        read_pairs(write(tmp_path, "a.csv", b"prompt,chosen,chosen,rejected\np,x,z,y\n"))


# --- tables -----------------------------------------------------------------------------------------------------------


def test_parquet_with_messages_and_with_broken_text(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    talk = [[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}] for answer in ("Hello", "Go")]
    parquet.write_table(pa.table({"chosen": [talk[0]], "rejected": [talk[1]]}), tmp_path / "talk.parquet")
    (pair,) = read_pairs(tmp_path / "talk.parquet").pairs
    assert [message.content for message in pair.prompt] == ["Hi"]  # type: ignore[union-attr]

    broken = pa.array([b"x", b"\xff\xfe", b"z"], type=pa.binary()).view(pa.string())
    frame = pa.table({"prompt": ["p1", "p2", "p3"], "chosen": broken, "rejected": ["a", "b", "c"]})
    parquet.write_table(frame, tmp_path / "broken.parquet")
    assert reasons(tmp_path / "broken.parquet") == [(2, "bad_encoding")]
    with pytest.raises(InputError, match="Parquet"):
        read_pairs(write(tmp_path, "no.parquet", b"PAR1 but not really"))


def test_a_saved_dataset_and_its_splits(tmp_path: Path) -> None:
    import datasets

    one = datasets.Dataset.from_list([good(1), good(2)])
    one.save_to_disk(tmp_path / "one")
    assert read_pairs(tmp_path / "one").rows == 2
    datasets.DatasetDict(train=one, test=one.select([0])).save_to_disk(tmp_path / "two")
    assert read_pairs(tmp_path / "two", config=DataConfig(split="test")).rows == 1
    with pytest.raises(InputError, match="train, test"):
        read_pairs(tmp_path / "two", config=DataConfig(split="validation"))
    assert read_pairs(one).rows == 2


def test_a_hub_id_out_of_reach_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(InputError, match=r"owner/name.*ConnectionError"):
        read_pairs("owner/name")


def test_a_hub_dataset_is_streamed_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    asked: list[object] = []

    def load(name: str, configuration: str | None, *, split: str, streaming: bool) -> object:
        asked.extend([name, configuration, split, streaming])
        return iter([good(1), good(2)])

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert read_pairs("owner/name:part", config=DataConfig(split="test")).rows == 2
    assert asked == ["owner/name", "part", "test", True]


def test_tables_and_objects_in_memory() -> None:
    import pandas as pd
    import pyarrow as pa

    rows = [good(1), good(2)]
    for source in (rows, iter(rows), pd.DataFrame(rows), pa.Table.from_pylist(rows)):
        assert read_pairs(source).rows == 2
    frame = pd.DataFrame([good(1), {**good(2), "chosen": None}])
    assert reasons(frame) == [(2, "missing_field")]
    assert reasons([good(1), "text", {**good(2), "chosen": "\ud800"}]) == [(2, "bad_json"), (3, "bad_encoding")]
    with pytest.raises(InputError, match="int"):
        read_pairs(7)


def test_pairs_read_back_as_themselves() -> None:
    row = {
        **GOOD,
        "id": "p-1",
        "category": "facts",
        "group": "g",
        "margin": 2.0,
        "source": {"generator": "policy-3", "sampling": {"temperature": 0.7}},
        "votes": [{"choice": "chosen", "annotator": "ann", "shown_left": "rejected"}, "tie", "chosen"],
    }
    first = read_pairs([row]).pairs
    assert read_pairs(first).pairs == first
    assert first[0].votes[0].shown_left == "rejected"


# --- the law ----------------------------------------------------------------------------------------------------------

ODD = st.sampled_from([
    b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"\xef\xbb\xbf", b'"', b",", b"{", b"}", b"[", b"]", b":", b"\\ud800",
    b'"prompt"', b'"chosen"', b'"rejected"', b"null", b"1e999", orjson.dumps(GOOD),
    orjson.dumps({**GOOD, "chosen": ""}),
    orjson.dumps({"prompt": "q", "chosen": [], "rejected": {}}), b'{"votes": [null], "prompt": 1}',
])  # fmt: skip
NOISE = st.lists(ODD | st.binary(max_size=12), max_size=30).map(b"".join)
LAW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LAW
@given(noise=NOISE)
def test_json_lines_add_up_for_any_bytes(tmp_path: Path, noise: bytes) -> None:
    path = write(tmp_path, "pairs.jsonl", lines(good(1)) + noise)
    law(path, rows=sum(not part.isspace() and part != b"" for part in path.read_bytes().split(b"\n")))


@LAW
@given(noise=NOISE)
def test_csv_adds_up_for_any_bytes(tmp_path: Path, noise: bytes) -> None:
    law(write(tmp_path, "pairs.csv", table(b"p,x,y") + noise), rows=None)


def law(path: Path, *, rows: int | None) -> None:
    """Rows, pairs and rejects add up; streamed and in memory agree; the artifacts can be read back."""
    found = read_pairs(path)
    raw = list(read_rows(path))
    assert all(isinstance(item, Row | Reject) for item in raw)
    assert len(raw) == found.rows == len(found.pairs) + len(found.rejects)
    assert rows is None or found.rows == rows
    assert all(isinstance(pair, Pair) for pair in found.pairs)
    report = check(path, path.parent / "out")
    written = (path.parent / "out" / "rejects.jsonl").read_bytes().splitlines()
    assert (report.rows, report.kept, len(written)) == (found.rows, len(found.pairs), len(found.rejects))
    assert all(orjson.loads(line)["reason"] for line in written)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5) | st.just("chosen"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("prompt", "chosen", "rejected", "votes", "margin", "category", "group", "id", "source")


@LAW
@given(rows=st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=9), max_size=8))
def test_objects_in_memory_add_up_whatever_their_values(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    found = read_pairs([good(1), *rows])
    assert len(found.pairs) + len(found.rejects) == found.rows == len(rows) + 1
    assert check([good(1), *rows], tmp_path / "out").rows == len(rows) + 1


def test_a_vote_that_nobody_can_read_costs_its_own_row_only() -> None:
    """Beside chosen and rejected a number says nothing about the other rows."""
    rows = [good(1), {**good(2), "votes": [None, False]}, {**good(3), "votes": ["chosen", 1]}]
    found = read_pairs(rows)
    assert [reject.where.line for reject in found.rejects] == [2, 3]
    assert {reject.reason for reject in found.rejects} == {"not_text"}
    assert "data.labels" in found.rejects[0].detail


def test_the_law_test_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that loses rows is caught."""
    path = write(tmp_path, "pairs.jsonl", lines(good(1), b"{", good(2)))
    monkeypatch.setattr(json_rows, "broken_json", lambda line, where, error: None)
    with pytest.raises((AssertionError, AttributeError)):
        law(path, rows=3)


def test_streams_need_no_seeking_beyond_the_file(tmp_path: Path) -> None:
    rows = json_rows.json_lines(io.BytesIO(lines(good(1), good(2))), "memory")
    assert [str(item.where) for item in rows] == ["memory:1", "memory:2"]
