"""Two real processes that speak gloo to each other, started as a user would start them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_in_two_processes(module: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """torchrun of a module of the tests, a thread a process; an AssertionError with its last words where it fails."""
    done = launched_in_two(module, *arguments, environment=environment)
    assert done.returncode == 0, done.stderr[-3000:]


def launched_in_two(
    module: str, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same, however it ends. environment: what the launcher tells its processes beside."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m", module]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(environment or {})},
    )
