"""Workers of `assay remedies --processes`: none outlives the command it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

POOL = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from assay.flows.remedy_workers import remember

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=remember, initargs=(None,))
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 120).result()
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has waited for is over all the same.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
@pytest.mark.slow
def test_a_worker_ends_when_the_command_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        worker = int(command.stdout.readline())
        assert alive(worker)
        command.send_signal(signal.SIGKILL)
        command.wait()
        until = time.monotonic() + 30
        while alive(worker) and time.monotonic() < until:
            time.sleep(0.1)
        left = alive(worker)
        if left:
            os.kill(worker, signal.SIGKILL)
        assert not left
