"""Workers of `assay remedies --processes`: none outlives the command it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.flows import remedy_workers
from assay.flows.remedy_names import NONE, SUSPECTED, remedy_names
from assay.flows.remedy_trial import Measured
from assay.flows.remedy_workers import as_they_come

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


def test_what_takes_longest_is_next_as_soon_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    at_once: list[int] = []
    running: set[str] = set()
    none_ended = threading.Event()

    def in_worker(name: str, _seeds: object) -> Measured:
        begun.append(name)
        running.add(name)
        at_once.append(len(running))
        if name != NONE and not none_ended.is_set():
            none_ended.wait(10)
        running.discard(name)
        return Measured(name=name, kind="training", settings={})

    def seeds_of(_trial: object, _folder: Path) -> None:
        none_ended.set()

    monkeypatch.setattr(remedy_workers, "in_worker", in_worker)
    monkeypatch.setattr(remedy_workers, "seeds_of", seeds_of)
    names = remedy_names("all")
    trial: Any = type("Trial", (), {"out": Path("out")})()
    with ThreadPoolExecutor(len(names)) as pool:
        found = [one.name for one in as_they_come(pool, trial, names, processes=3)]
    assert sorted(found) == sorted(names)
    assert max(at_once) <= 3
    # Handed in all at once, it would be last of all trainings, and everything else long done while it trains.
    assert begun[0] == NONE
    assert begun[3] == SUSPECTED
