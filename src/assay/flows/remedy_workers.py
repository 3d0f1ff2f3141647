"""Remedies measured one after another, or several at once, each in a process of its own on the one device.

A small model leaves most of a GPU idle, and cores too: trainings beside each other end sooner in all, each later. What
is made of the run without a remedy waits for it; the rest does not. Knows trials; holds no figure against another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from assay.errors import ConfigError
from assay.flows.remedy_measures import Measured, Trial, measure, seeds_of
from assay.flows.remedy_names import NONE, SUSPECTED, TRAINED, Seeds
from assay.machine_size import usable_cpus

THREADS = "OMP_NUM_THREADS"
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
            yield from as_they_come(pool, trial, names)
        except BrokenProcessPool:
            raise ConfigError(
                f"One of {processes} processes was ended from outside, by a lack of memory perhaps. The same command "
                "goes on; give fewer --processes."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def as_they_come(pool: ProcessPoolExecutor, trial: Trial, names: Sequence[str]) -> Iterator[Measured]:
    waiting: set[Future[Measured]] = {pool.submit(in_worker, name, None) for name in names if not waits(name)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for one in done:
            found = one.result()
            if found.name == NONE:
                seeds = seeds_of(trial, trial.out / NONE)
                waiting |= {pool.submit(in_worker, name, seeds) for name in names if waits(name)}
            yield found


def waits(name: str) -> bool:
    """Whether a remedy is made of the run without one."""
    return name not in TRAINED or name == SUSPECTED


def remember(trial: Trial) -> None:
    _trials[:] = [trial]


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
