"""Workers inside the test's own process: events come in a random order, and die when they are told to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from assay.bulk.dispatch import Came, Ended, Lost
from assay.bulk.held_work import Held

Item = TypeVar("Item")
Result = TypeVar("Result")
Results = Iterator[Sequence[tuple[int, Result]]]


class ToyCrew(Generic[Item, Result]):
    """dies: asked with the items before each result; True ends the worker there. given: all that was given out."""

    def __init__(
        self,
        held: Held[Item, Result],
        size: int = 2,
        *,
        seed: int = 0,
        dies: Callable[[Sequence[Item]], bool] | None = None,
    ) -> None:
        self.held, self.size, self.draw = held, size, random.Random(seed)
        self.dies = dies or (lambda _items: False)
        self.given: list[tuple[int, tuple[Item, ...]]] = []
        self.replaced: list[int] = []
        self.busy: dict[int, tuple[Sequence[Item], Results[Result]]] = {}

    def give(self, worker: int, items: Sequence[Item]) -> None:
        assert worker not in self.busy, "a worker has one thing to do at a time"
        self.given.append((worker, tuple(items)))
        self.busy[worker] = (items, self.held.results(items))

    def wait(self) -> Came[Result] | Ended | Lost:
        worker = self.draw.choice(sorted(self.busy))
        items, results = self.busy[worker]
        if self.dies(items):
            del self.busy[worker]
            return Lost(worker, "its process died")
        found = next(results, None)
        if found is None:
            del self.busy[worker]
            return Ended(worker)
        return Came(worker, found)

    def replace(self, worker: int) -> None:
        self.replaced.append(worker)
