"""Which block goes to which worker: one each, those that were lost taken again, those that end every worker set aside.

1. An idle worker gets a block that was lost before, else the next one. 2. What comes is handed on at once. 3. A worker
that is lost is replaced, and what its block still lacks is taken again. 4. A block that lost `tries` workers in a row
and gave nothing meanwhile is set aside with the reason. Knows blocks, workers by number; knows no model, no Ray.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
TRIES = 3  # workers that one block may end before it is set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Generic[Item, Result]):
    """Items that one worker gets together. number: from 0, in order. known: by place, where they are had already."""

    number: int
    items: tuple[Item, ...]
    known: Mapping[int, Result] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Generic[Result_co]):
    """What came of a block just now, by the places of its items. whole: nothing of it is missing any more."""

    number: int
    results: Mapping[int, Result_co]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """What is left of a block that ended `tries` workers, by place, and why."""

    number: int
    places: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Came(Generic[Result_co]):
    """Of a worker: results by place among the items it was given."""

    worker: int
    results: Sequence[tuple[int, Result_co]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker is through with what it was given."""

    worker: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died, or failed by an error that is nobody's message, and why in words."""

    worker: int
    why: str


class Crew(Protocol[Item_contra, Result_co]):
    """Workers by number, from 0, each with one thing to do at a time."""

    @property
    def size(self) -> int: ...

    def give(self, worker: int, items: Sequence[Item_contra]) -> None: ...

    def wait(self) -> Came[Result_co] | Ended | Lost:
        """The next thing that happens to a worker that was given something. Raises AssayError where all is in vain."""
        ...

    def replace(self, worker: int) -> None:
        """Put a new one in the place of a worker that is lost."""
        ...


@dataclass(slots=True)
class _Try(Generic[Item, Result]):
    """A block on its way. places: of the items given this time; left: of those without a result."""

    block: Block[Item, Result]
    places: list[int]
    left: set[int]
    lost: int = 0  # workers since it last gave something


@dataclass(slots=True)
class _Feed(Generic[Item, Result]):
    """Blocks in the order in which they are begun, no further ahead of the oldest unfinished one than `ahead`."""

    blocks: Iterator[Block[Item, Result]]
    ahead: int | None
    again: deque[_Try[Item, Result]] = field(default_factory=deque)
    unfinished: set[int] = field(default_factory=set)
    following: int = 0

    def take(self) -> _Try[Item, Result] | None:
        if self.again:
            return self.again.popleft()
        if self.ahead is not None and self.unfinished and self.following - min(self.unfinished) >= self.ahead:
            return None
        block = next(self.blocks, None)
        if block is None:
            return None
        self.following = block.number + 1
        self.unfinished.add(block.number)
        return _Try(block, list(range(len(block.items))), set(range(len(block.items))))


def dispatch(
    crew: Crew[Item, Result],
    blocks: Iterable[Block[Item, Result]],
    *,
    tries: int = TRIES,
    ahead: int | None = None,
) -> Iterator[Given[Result] | SetAside]:
    """All that comes of `blocks`, as it comes; every place of every block is given once or set aside once.

    tries: workers in a row that a block may end. ahead: how many blocks may be begun beyond the oldest unfinished one,
    which bounds what a caller who wants them in order has to hold. Raises what `crew.wait` raises.
    """
    feed = _Feed(iter(blocks), ahead)
    running: dict[int, _Try[Item, Result]] = {}
    idle = list(range(crew.size))
    while True:
        while idle and (taken := feed.take()) is not None:
            if taken.block.known is not None:
                feed.unfinished.discard(taken.block.number)
                yield Given(number=taken.block.number, results=taken.block.known, whole=True)
                continue
            worker = idle.pop(0)
            running[worker] = taken
            taken.places = sorted(taken.left)
            crew.give(worker, [taken.block.items[place] for place in taken.places])
        if not running:
            return
        event = crew.wait()
        one = running[event.worker]
        if isinstance(event, Came):
            results = {one.places[place]: result for place, result in event.results}
            one.left -= results.keys()
            one.lost = 0
            if not one.left:
                feed.unfinished.discard(one.block.number)
            yield Given(number=one.block.number, results=results, whole=not one.left)
            continue
        del running[event.worker]
        idle.append(event.worker)
        if isinstance(event, Lost):
            crew.replace(event.worker)
        if not one.left:
            continue
        why = event.why if isinstance(event, Lost) else "its worker ended without a word on it"
        one.lost += 1
        if one.lost < tries:
            feed.again.append(one)
            continue
        feed.unfinished.discard(one.block.number)
        yield SetAside(number=one.block.number, places=tuple(sorted(one.left)), why=f"{why}, {tries} times")
