"""Files that assay wrote itself and reads again: what is torn is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.errors import ArtifactError


def test_a_torn_line_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"id": "a"}, {"id": "b"}])
    assert [row["id"] for row in read_jsonl(path)] == ["a", "b"]
    path.write_bytes(path.read_bytes() + b'{"id": "c')
    with pytest.raises(ArtifactError, match=r"rows\.jsonl, line 3 is not JSON"):
        list(read_jsonl(path))
