"""Candidates from JSON lines: what they are, and what they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InputError
from assay.scorers.candidate_files import holds_candidates, read_candidates


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "holds a list"),
        ('{"answers": ["a"]}', '"prompt" is missing'),
        ('{"prompt": "p", "answers": []}', '"answers" is missing or empty'),
        ('{"prompt": 3, "answers": ["a"]}', '"prompt" is neither'),
        ('{"prompt": "p", "answers": ["a", " "]}', r'"answers\[1\]" is neither'),
        ('{"prompt": [{"role": "user"}], "answers": ["a"]}', "without role and content"),
    ],
)
def test_bad_candidates_are_named_by_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"prompt": "p", "answers": ["a"]}\n' + row + "\n")
    with pytest.raises(InputError, match=rf"c\.jsonl:2: .*{message}"):
        list(read_candidates(path))


def test_pairs_are_not_taken_for_candidates(tmp_path: Path) -> None:
    for name, text in (
        ("a.jsonl", '{"prompt": "p", "chosen": "a", "rejected": "b"}'),
        ("b.jsonl", ""),
        ("c.jsonl", "\x00"),
        ("d.csv", '{"prompt": "p", "answers": ["a"]}'),
        ("e.jsonl.gz", "no gzip"),
    ):
        (tmp_path / name).write_text(text)
        assert not holds_candidates(tmp_path / name)
    assert not holds_candidates(tmp_path)
    assert not holds_candidates(tmp_path / "missing.jsonl")
