"""Two gloo processes give the single process's loss and gradients, under DDP and under FSDP2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.support.engine_rows import assert_close
from tests.support.two_forward_processes import step

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_two_processes_equal_one(tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command += ["-m", "tests.support.two_forward_processes", kind, str(tmp_path / "two.pt")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    two = torch.load(tmp_path / "two.pt")
    before = torch.get_num_threads()
    one = step("alone", rank=0, world=1)
    torch.set_num_threads(before)
    assert two.keys() == one.keys()
    for name, value in one.items():
        assert_close(two[name], value)
