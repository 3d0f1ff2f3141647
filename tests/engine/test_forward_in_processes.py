"""Two gloo processes give the single process's loss and gradients, under DDP and under FSDP2."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.engine_rows import assert_close
from tests.support.threads import one_thread
from tests.support.torchrun import run_in_two_processes
from tests.support.two_forward_processes import step


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_two_processes_equal_one(tmp_path: Path, kind: str) -> None:
    run_in_two_processes("tests.support.two_forward_processes", kind, tmp_path / "two.pt")
    two = torch.load(tmp_path / "two.pt")
    with one_thread():
        one = step("alone", rank=0, world=1)
    assert two.keys() == one.keys()
    for name, value in one.items():
        assert_close(two[name], value)
