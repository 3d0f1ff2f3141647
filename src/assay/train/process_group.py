"""Several processes that train together: wait for one another, take the first one's word, leave in good order.

One process never waits, and pays for no torch: a run that ends before it trains imports none. Knows ranks; knows no
model and no option.
"""

from __future__ import annotations

import atexit
import functools
import os
from typing import TypeVar

T = TypeVar("T")


@functools.cache
def leave_together() -> None:
    """Take down the process group before Python's own end, where gloo would wait for ever."""
    import torch

    def leave() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    atexit.register(leave)


def wait_for_all() -> None:
    """Go on when every process has come here; at once where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available())  # as Trainer does
    leave_together()
    state.wait_for_everyone()


def of_the_first(found: T) -> T:
    """What the first process found, in all of them: where clocks decide, they may differ."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return found
    import torch
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    PartialState(cpu=not torch.cuda.is_available())  # as Trainer does
    leave_together()
    told: list[T] = broadcast_object_list([found])
    return told[0]
