"""Remedies measured one after another, or several at once, each in a process of its own on the one device.

A small model leaves most of a GPU idle, and cores too: trainings beside each other end sooner in all, each later. What
is made of the run without a remedy waits for it; the rest does not. Knows trials; holds no figure against another.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for

from assay.errors import ConfigError
from assay.flows.remedy_measures import measure
from assay.flows.remedy_names import NONE, OF_TWO_BASES, SECOND_BASE, SUSPECTED, TRAINED, Seeds
from assay.flows.remedy_trial import Measured, Trial, seeds_of
from assay.machine_size import usable_cpus

THREADS = "OMP_NUM_THREADS"
FIRST = (NONE, SUSPECTED, SECOND_BASE)  # others are made of the first and the last; the second trains three times over
_trials: list[Trial] = []  # of a worker: sent once, and not with each of its remedies


def measured(
    trial: Trial, names: Sequence[str], *, processes: int, notify: Callable[[str], None]
) -> Iterator[Measured]:
    """Each remedy as it is done; in the order of `names` where there is one process. Raises what none's run raises."""
    if processes == 1:
        seeds = None
        for name in names:
            yield measure(trial, name, seeds, notify)
            if name == NONE:
                seeds = seeds_of(trial, trial.out / NONE)
        return
    with threads_shared(processes):
        # Forked processes cannot use a GPU that their parent has used.
        pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=remember, initargs=(trial,))
        try:
            yield from as_they_come(pool, trial, names, processes=processes)
        except BrokenProcessPool:
            raise ConfigError(
                f"One of {processes} processes was ended from outside, by a lack of memory perhaps. The same command "
                "goes on; give fewer --processes."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def as_they_come(pool: Executor, trial: Trial, names: Sequence[str], *, processes: int) -> Iterator[Measured]:
    """No more are handed in than there are processes, so that one of FIRST is next as soon as it can be."""
    seeds: Seeds | None = None
    waiting: set[Future[Measured]] = set()
    done: set[str] = set()
    left = sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    while left or waiting:
        ready = [name for name in left if waits_for(name) <= done][: processes - len(waiting)]
        left = [name for name in left if name not in ready]
        waiting |= {pool.submit(in_worker, name, seeds) for name in ready}
        ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for one in ended:
            found = one.result()
            if found.name == NONE:
                seeds = seeds_of(trial, trial.out / NONE)
            done.add(found.name)
            yield found


def waits_for(name: str) -> frozenset[str]:
    """The runs that a remedy is made of, or held against while it is made."""
    if name in OF_TWO_BASES:
        return frozenset({NONE, SECOND_BASE})
    return frozenset() if name in TRAINED and name not in (SUSPECTED, SECOND_BASE) else frozenset({NONE})


def remember(trial: Trial) -> None:
    _trials[:] = [trial]
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End this process when the command is killed: else it would train on, and the same command, started again, would
    find the folder in use. What is half written is what any kill leaves."""
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def in_worker(name: str, seeds: Seeds | None) -> Measured:
    return measure(_trials[0], name, seeds, lambda _line: None)


@contextmanager
def threads_shared(processes: int) -> Iterator[None]:
    """Cores parted between the processes that are started within, unless the user has said how many threads each has.

    Each would take them all, and they would wait for one another.
    """
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(max(1, usable_cpus() // processes))
    try:
        yield
    finally:
        del os.environ[THREADS]
