"""Who gets which block: nothing lost, nothing doubled, whoever dies."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.bulk.dispatch import Block, Given, SetAside, dispatch
from assay.bulk.held_work import Told
from tests.bulk.toy_crew import ToyCrew


class Doubling:
    """Gives twice each number, one at a time or all at once."""

    def __init__(self, *, at_once: bool) -> None:
        self.at_once = at_once

    def told(self) -> Told:
        return Told(fingerprints={0: "doubling"}, renderings={})

    def results(self, items: Sequence[int]) -> Iterator[Sequence[tuple[int, int]]]:
        found = [(place, 2 * item) for place, item in enumerate(items)]
        yield from [found] if self.at_once else [[one] for one in found]


def blocks(sizes: Sequence[int]) -> list[Block[int, int]]:
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [
        Block(number=number, items=tuple(range(end - size, end)))
        for number, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def gathered(events: Iterator[Given[int] | SetAside], sizes: Sequence[int]) -> tuple[dict[int, int], set[int]]:
    """Results by item, and items set aside; each item once."""
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    found: dict[int, int] = {}
    aside: set[int] = set()
    for event in events:
        places = event.results if isinstance(event, Given) else event.places
        for place in places:
            item = starts[event.number] + place
            assert item not in found
            assert item not in aside
            if isinstance(event, Given):
                found[item] = event.results[place]
            else:
                aside.add(item)
    return found, aside


@given(
    sizes=st.lists(st.integers(1, 5), max_size=8),
    workers=st.integers(1, 4),
    seed=st.integers(0, 1000),
    at_once=st.booleans(),
    deaths=st.floats(0, 0.3),
)
@settings(max_examples=60, deadline=None)
def test_every_item_comes_once_whoever_dies(
    sizes: list[int], workers: int, seed: int, at_once: bool, deaths: float
) -> None:
    draw = random.Random(seed)
    crew = ToyCrew(Doubling(at_once=at_once), workers, seed=seed, dies=lambda _items: draw.random() < deaths)
    found, aside = gathered(dispatch(crew, blocks(sizes), tries=50), sizes)
    assert not aside
    assert found == {item: 2 * item for item in range(sum(sizes))}


def test_a_block_that_ends_every_worker_is_set_aside_and_the_rest_is_done() -> None:
    crew = ToyCrew(Doubling(at_once=True), 2, dies=lambda items: 3 in items)
    events = list(dispatch(crew, blocks([2, 2, 2]), tries=3))
    assert [event for event in events if isinstance(event, SetAside)] == [
        SetAside(number=1, places=(0, 1), why="its process died, 3 times")
    ]
    found, aside = gathered(iter(events), [2, 2, 2])
    assert (set(found), aside) == ({0, 1, 4, 5}, {2, 3})
    assert len(crew.replaced) == 3


def test_what_came_before_a_death_is_not_asked_for_again() -> None:
    """Answers come one by one: the poisonous one is narrowed down to, since all others are progress."""
    crew = ToyCrew(Doubling(at_once=False), 1, dies=lambda items: items[0] == 2)
    found, aside = gathered(dispatch(crew, [Block(number=0, items=(0, 1, 2))], tries=2), [3])
    assert (found, aside) == ({0: 0, 1: 2, 2: 4}, set())  # given from the first item on, it never begins with 2

    only_two = ToyCrew(Doubling(at_once=False), 1, dies=lambda items: items[0] == 2)
    found, aside = gathered(dispatch(only_two, [Block(number=0, items=(2, 3))], tries=2), [2])
    assert (found, aside) == ({}, {0, 1})


def test_a_death_between_results_keeps_them() -> None:
    beats = iter([False, False, True])  # two results, then the death
    crew = ToyCrew(Doubling(at_once=False), 1, dies=lambda _items: next(beats, False))
    found, _ = gathered(dispatch(crew, [Block(number=0, items=(0, 1, 2, 3))]), [4])
    assert found == {0: 0, 1: 2, 2: 4, 3: 6}
    assert [items for _, items in crew.given] == [(0, 1, 2, 3), (2, 3)]


def test_what_is_known_is_given_to_nobody() -> None:
    asked = [Block(number=0, items=(0,), known={0: 7}), Block(number=1, items=(1,))]
    crew = ToyCrew(Doubling(at_once=True), 2)
    assert gathered(dispatch(crew, asked), [1, 1])[0] == {0: 7, 1: 2}
    assert [items for _, items in crew.given] == [(1,)]


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_block_is_begun_far_ahead_of_the_oldest_unfinished_one(ahead: int) -> None:
    """The first block hangs until nothing else may be begun."""
    begun: list[int] = []

    def asked() -> Iterator[Block[int, int]]:
        for one in blocks([1] * 10):
            begun.append(one.number)
            yield one

    class Hanging(ToyCrew[int, int]):
        def wait(self):  # type: ignore[no-untyped-def]
            if len(self.busy) > 1:  # somebody else goes first
                held = self.busy.pop(0)
                event = super().wait()
                self.busy[0] = held
                return event
            return super().wait()

    events = dispatch(Hanging(Doubling(at_once=True), 2), asked(), ahead=ahead)
    first = next(events)
    while first.number != 0:
        first = next(events)
    assert begun == [*range(ahead)]
    assert gathered(iter([first, *events]), [1] * 10)[0].keys() >= {0, 9}
