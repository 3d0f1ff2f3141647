"""`assay bench` by its installed command: the table, one JSON object, and a file of another suite."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.suites.made_suites import pair, styles
from tests.support.ready_commands import ready_assay


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    return ready_assay("bench", *arguments)


def test_the_table_the_json_and_a_file_of_another_suite(tmp_path: Path) -> None:
    rows, other = tmp_path / "chat_filtered.jsonl", tmp_path / "pairs.jsonl"
    rows.write_text("".join(json.dumps(styles(n, None)) + "\n" for n in range(4)))
    other.write_text(json.dumps(pair(1, "hep-go")) + "\n")
    done = bench("baseline:longest", "rm-bench", "--data", tmp_path / "chat_*.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "not as published: chat: 4 items, published with 129" in done.stdout
    # Right and wrong answers are equally long in each style, so the longer wins all easy pairs and no other.
    assert [line.split()[2] for line in done.stdout.splitlines() if line.startswith("  chat easy")] == ["1.000"]
    told = bench("baseline:longest", "rm-bench", "--data", rows, "--out", tmp_path / "out", "--json")
    body = json.loads(told.stdout)
    assert (body["schema"], body["items"], list(body["inputs"])[-1]) == ("bench/1", 4, "scorer")
    wrong = bench("baseline:longest", "rm-bench", "--data", other, "--out", tmp_path / "none")
    assert wrong.returncode == 2
    assert "no item of rm-bench" in wrong.stderr
    assert "It looks like rewardbench" in wrong.stderr
    assert not (tmp_path / "none").exists()
