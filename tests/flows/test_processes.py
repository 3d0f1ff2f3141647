"""The command line under torchrun and accelerate launch: one run, of which the first process speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.files import read_json, read_jsonl
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy

READY_MADE = Path(__file__).parents[2] / "examples" / "accelerate"
LAUNCHERS = {
    "torchrun": ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"],
    # The files as they stand, here on a CPU; a port of its own choice, since another test may hold the usual one.
    **{
        path.name: ["-m", "accelerate.commands.launch", "--main_process_port", "0", "--config_file", str(path)]
        for path in READY_MADE.glob("*.yaml")
    },
}
OPTIONS = ["--max-tokens", "60", "--holdout", "16", "--epochs", "1", "--precision", "float32"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("inputs")
    rows = [{"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in tiny.pairs(48)]
    (root / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "criteria.yaml").write_text("criteria:\n  - overall accuracy > 0.01\n")
    return root / "pairs.jsonl", tiny.base(root / "base")


def launched(
    launcher: str, command: str, data: Path, base: Path, out: Path, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    words = ["-m", "assay.cli.main", command, str(data), "--base", str(base), "--out", str(out), *OPTIONS]
    return subprocess.run(
        [sys.executable, *LAUNCHERS[launcher], *words, *more, "--criteria", str(data.with_name("criteria.yaml"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_make_one_run(launcher: str, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    done = launched(launcher, "reward", *inputs, tmp_path / "run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Report: ") == 1
    assert "in use by another" not in done.stderr
    assert json.loads((tmp_path / "run" / "gate.json").read_text())["verdict"] == "pass"
    seed = tmp_path / "run" / "seed-0"
    assert len(list(read_jsonl(seed / "scores.jsonl"))) == 16
    assert read_json(seed / "train.json", "train/1")["processes"] == 2
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["ddp.yaml", "fsdp2.yaml"])
def test_two_processes_tune_one_policy(launcher: str, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    base = tiny_policy.policy(tmp_path / "policy")
    done = launched(launcher, "dpo", inputs[0], base, tmp_path / "run", "--set", "watch.max_new_tokens=4")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Report: ") == 1
    assert read_json(tmp_path / "run" / "seed-0" / "train.json", "train/1")["processes"] == 2
    assert json.loads((tmp_path / "run" / "gate.json").read_text())["verdict"] == "pass"


@pytest.mark.slow
def test_what_cannot_be_had_is_refused_before_anything_is_read(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    done = launched("torchrun", "reward", *inputs, tmp_path / "run", ACCELERATE_USE_DEEPSPEED="true")
    assert done.returncode != 0
    assert "fsdp2.yaml" in done.stderr
    assert "Traceback" not in done.stderr.split("torch/distributed")[0]
    assert not (tmp_path / "run").exists()
