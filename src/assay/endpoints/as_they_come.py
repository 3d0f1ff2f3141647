"""Results of work in an event loop, handed to plain code one by one, as soon as each is there.

The loop runs in a thread of its own, so that it also works where a loop runs already (a notebook), and so that requests
go on while whoever takes a result writes it down.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
Work = Callable[[Callable[[T], None]], Coroutine[object, object, None]]


@dataclass(frozen=True, slots=True)
class _Came(Generic[T]):
    result: T


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


@contextmanager
def as_they_come(work: Work[T]) -> Iterator[Iterator[T]]:
    """What `work` gives to its callback, in that order; then raises what it raised, if anything.

    Left before the end, by an error or Ctrl-C, the work is cancelled and waited for: no request goes on behind it.
    """
    came: SimpleQueue[_Came[T] | _Ended] = SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(work(lambda result: came.put(_Came(result))))

    def run() -> None:
        error: BaseException | None = None
        try:
            loop.run_until_complete(task)
        except BaseException as raised:  # it is raised where the results are taken
            error = raised
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            came.put(_Ended(error))

    def results() -> Iterator[T]:
        while isinstance(one := came.get(), _Came):
            yield one.result
        if one.error is not None:
            raise one.error

    # A daemon: a process that ends while a result is being written down is not held up by requests nobody waits for.
    thread = threading.Thread(target=run, name="requests", daemon=True)
    thread.start()
    try:
        yield results()
    finally:
        if not loop.is_closed():
            _cancel(loop, task)
        thread.join()


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    try:
        loop.call_soon_threadsafe(task.cancel)
    except RuntimeError:  # closed since it was looked at: the work has ended
        return
