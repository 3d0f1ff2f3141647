"""Several processes that train together: wait for one another, take the first one's word, leave in good order.

One process never waits, and pays for no torch: a run that ends before it trains imports none. Knows ranks; knows no
model and no option.
"""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from assay.errors import TrainingError

if TYPE_CHECKING:
    from accelerate import PartialState

T = TypeVar("T")
# Seconds after which a process that waits takes the others for lost. The first one audits and writes reports while the
# others wait, so NCCL's ten minutes would end long audits; that a process has died is known sooner, by the launcher.
WAITING = 4 * 3600


@functools.cache
def leave_together() -> None:
    """Take down the process group before Python's own end, where gloo would wait for ever."""
    import torch

    def leave() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    atexit.register(leave)


def _joined() -> PartialState:
    """The group of processes, which this one joins if it has not."""
    import torch
    from accelerate import PartialState

    # On the CPU where there is no CUDA, as Trainer does.
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(seconds=WAITING))
    leave_together()
    return state


def wait_for_all() -> None:
    """Go on when every process has come here; at once where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _joined().wait_for_everyone()


@contextmanager
def told_of_others() -> Iterator[None]:
    """Where another process has ended, and this one waits for it in vain, say that. Raises TrainingError."""
    try:
        yield
    except RuntimeError as error:
        if int(os.environ.get("WORLD_SIZE", "1")) == 1 or not _lost_another(error):
            raise
        raise TrainingError(
            f"Process {os.environ.get('RANK', '?')}: another process of this training has ended, and this one cannot "
            "go on without it. What that one said, or the launcher about it, says why. The same command goes on from "
            "the last checkpoint, with as many processes or with others."
        ) from error


def _lost_another(error: RuntimeError) -> bool:
    """Whether torch says that a process does not answer: gloo and NCCL have no type of error in common."""
    signs = ("gloo/transport", "NCCL", "by peer")
    return type(error).__name__.startswith("Dist") or any(sign in str(error) for sign in signs)


def most_of_all(count: int, device: str) -> int:
    """The largest of a number that every process has; of one, its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return count
    import torch

    found = torch.tensor(count, device=device)
    torch.distributed.all_reduce(found, op=torch.distributed.ReduceOp.MAX)
    return int(found)


def of_the_first(found: T) -> T:
    """What the first process found, in all of them: where clocks decide, they may differ."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return found
    from accelerate.utils import broadcast_object_list

    _joined()
    told: list[T] = broadcast_object_list([found])
    return told[0]
