"""How many threads torch takes: not more than this process may use, or they would wait for one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.machine_size import usable_cpus


@contextmanager
def threads_within_quota() -> Iterator[int]:
    """Not more torch threads than this process may use: in a container with a CPU quota, torch would take too many."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(before, usable_cpus()))
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
