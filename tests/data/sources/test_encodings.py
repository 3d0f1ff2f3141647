"""Numbers that JSON has not, numbers too long for 64 bits, and files that are not UTF-8 or no rows."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from assay.data import read_pairs
from assay.data.intake import no_pair
from assay.errors import InputError

TEXTS = '"prompt": "Q%d", "chosen": "x", "rejected": "y"'


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def objects(*fields: str) -> list[bytes]:
    return [("{" + TEXTS % place + ", " + field + "}").encode() for place, field in enumerate(fields)]


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.json"])
def test_nan_costs_the_row_only_where_it_is_used(name: str, tmp_path: Path) -> None:
    rows = objects('"note": NaN', '"margin": NaN', '"note": -Infinity', '"category": NaN')
    data = b"\n".join(rows) if name == "pairs.jsonl" else b"[" + b",".join(rows) + b"]"
    found = read_pairs(write(tmp_path, name, data))
    assert [pair.prompt for pair in found.pairs] == ["Q0", "Q2"]
    assert [(one.where.line, one.reason) for one in found.rejects] == [(2, "missing_field"), (4, "missing_field")]
    assert all("nan" in one.detail for one in found.rejects)


def test_a_nan_in_place_of_a_text_is_named(tmp_path: Path) -> None:
    found = read_pairs(write(tmp_path, "pairs.jsonl", b'{"prompt": NaN, "chosen": "x", "rejected": "y"}'))
    assert found.rejects[0].detail == '"prompt" is missing (NaN)'


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.json"])
def test_long_integers_keep_their_digits(name: str, tmp_path: Path) -> None:
    ids = ["123456789012345678901234", "123456789012345678901235", "18446744073709551615", "-9223372036854775809"]
    rows = objects(*(f'"id": {one}, "source": {{"thread": {one}}}' for one in ids))
    data = b"\n".join(rows) if name == "pairs.jsonl" else b"[" + b",".join(rows) + b"]"
    found = read_pairs(write(tmp_path, name, data))
    assert [pair.id for pair in found.pairs] == ids
    assert [str(pair.source["thread"]) for pair in found.pairs] == ids
    assert found.report.repeated_ids == 0


def test_a_large_number_stays_a_number(tmp_path: Path) -> None:
    found = read_pairs(write(tmp_path, "pairs.jsonl", objects('"margin": 1e30')[0]))
    assert found.pairs[0].margin == 1e30


ROW = '{"prompt": "Où est né Molière ?", "chosen": "à Paris", "rejected": "à Lyon"}'


@pytest.mark.parametrize(
    ("name", "text"), [("p.jsonl", ROW), ("p.json", f"[{ROW}]"), ("p.csv", "prompt,chosen,rejected\nOù,à,là")]
)
@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32", "UTF-32"),
        ("cp1252", "CP1252"),
    ],
)
def test_another_encoding_is_named_with_the_line_that_converts(
    name: str, text: str, encoding: str, told: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name, text.encode(encoding))
    try:
        said = " ".join(read_pairs(path).report.warnings)
    except InputError as error:
        said = str(error)
    assert f"iconv -f {told} -t UTF-8 {path}" in said


def test_many_encodings_could_be_meant(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "prompt,chosen,rejected\nこんにちは元気,ああ,b\n".encode("shift_jis"))
    assert "find its encoding" in read_pairs(path).report.warnings[0]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.json", orjson.dumps({"version": 1, "rows": [{"prompt": "Q"}]}, option=orjson.OPT_INDENT_2), "'.rows[]'"),
        ("b.jsonl", orjson.dumps({"prompt": "Q", "chosen": "x"}, option=orjson.OPT_INDENT_2), "jq -c ."),
        ("c.jsonl", b"PK\x03\x04aaaa", "zip archive"),
        ("d.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("e.jsonl", b"<!doctype html>\n<p>no</p>", "HTML page"),
    ],
)
def test_a_file_that_is_no_data_is_told_what_it_looks_like(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, data)
    found = read_pairs(path)
    assert told in no_pair(path, found.rows, found.report.rejects)
