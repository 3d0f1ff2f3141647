"""The command line under torchrun and accelerate launch: one run, of which the first process speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl
from tests.support import tiny_bases as tiny

LAUNCHERS = {
    "torchrun": ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"],
    "accelerate launch": [
        "-m",
        "accelerate.commands.launch",
        "--num_processes=2",
        "--cpu",
        "--num_machines=1",
    ],
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("inputs")
    rows = [{"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in tiny.pairs(48)]
    (root / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "criteria.yaml").write_text("criteria:\n  - overall accuracy > 0.01\n")
    return root / "pairs.jsonl", tiny.base(root / "base")


@pytest.mark.parametrize("launcher", ["torchrun", pytest.param("accelerate launch", marks=pytest.mark.slow)])
def test_two_processes_make_one_run(launcher: str, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    data, base = inputs
    words = ["-m", "assay.cli.main", "reward", str(data), "--base", str(base), "--out", str(tmp_path / "run")]
    options = ["--max-tokens", "64", "--holdout", "16", "--epochs", "1", "--precision", "float32"]
    done = subprocess.run(
        [sys.executable, *LAUNCHERS[launcher], *words, *options, "--criteria", str(data.with_name("criteria.yaml"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Report: ") == 1
    assert "in use by another" not in done.stderr
    assert json.loads((tmp_path / "run" / "gate.json").read_text())["verdict"] == "pass"
    assert len(list(read_jsonl(tmp_path / "run" / "seed-0" / "scores.jsonl"))) == 16
    assert (tmp_path / "run" / "report.html").is_file()
