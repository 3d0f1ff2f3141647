"""A policy whose answers are written by several workers: to whoever calls it a Policy that answers one by one.

A block is the missing answers of some prompts. Each answer is handed on when it is finished, so a worker's death costs
those it was writing, and an answer has the same bits wherever it is written. Knows a crew; knows no Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from assay.bulk.dispatch import TRIES, Block, Crew, Given, dispatch
from assay.bulk.held_work import Told
from assay.errors import ModelError
from assay.policies.one_by_one import Asked, gathered, with_a_seed
from assay.policies.protocol import Generation, Generations, Made, Policy, Prompt, Sampling
from assay.stats.unknown import Unknown

BLOCK = 1024  # answers a worker is given at once: many times what it writes side by side, so lanes seldom stand empty
A_WORKER = 4  # blocks a worker at least, where there are answers enough: the last ones end at about one time


class SpreadPolicy:
    """The policy `alike`, held by a crew; `alike` itself is asked its name and loads nothing. told: what it opened.

    aside: answers that ended every worker that took them, so far, each by its prompt's id and number.
    """

    def __init__(
        self,
        alike: Policy,
        crew: Crew[Asked, Generation],
        told: Callable[[], Told],
        *,
        tries: int = TRIES,
    ) -> None:
        self.alike, self._crew, self._told, self._tries = alike, crew, told, tries
        self.aside: list[tuple[str, int]] = []

    @property
    def name(self) -> str:
        return self.alike.name

    @property
    def fingerprint(self) -> str:
        return self._told().fingerprints[0]

    def made(self, sampling: Sampling) -> Made:
        """As the workers say it, which were told how to draw when they were opened."""
        made = self._told().made
        assert made is not None
        assert made.sampling == sampling
        return made

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        return gathered(self, prompts, n, with_a_seed(sampling))

    def answers(self, asked: Sequence[Asked], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Each answer by its place in `asked`, as soon as it is finished. Raises what the workers' policies do."""
        self.made(sampling)  # what cannot be opened is refused before anything is given out
        most = max(1, min(BLOCK, -(-len(asked) // (A_WORKER * self._crew.size))))
        starts = cuts([one.prompt.id for one in asked], most)
        blocks: Iterator[Block[Asked, Generation]] = (
            Block(number=number, items=tuple(asked[start:end])) for number, (start, end) in enumerate(pairwise(starts))
        )
        for event in dispatch(self._crew, blocks, tries=self._tries):
            start = starts[event.number]
            if isinstance(event, Given):
                yield from ((start + place, one) for place, one in event.results.items())
                continue
            for place in event.places:
                one = asked[start + place]
                self.aside.append((one.prompt.id, one.number))
                why = Unknown(f"it was set aside: {event.why}")
                yield start + place, Generation(text=why, finish="error")


def refuse_unwritten(aside: Sequence[tuple[str, int]]) -> None:
    """Raises ModelError where answers were set aside: all others are written, and so the command did not do all."""
    if aside:
        prompt, number = aside[0]
        raise ModelError(
            f"{len(aside):,} answers ended every worker that took them, such as number {number} to prompt {prompt!r}. "
            "All others are done; the same command tries these again."
        )


def cuts(prompts: Sequence[str], most: int) -> list[int]:
    """Where blocks of about `most` answers begin, and the end: a prompt's answers stay together where they fit, since
    a worker runs each prompt once.

    >>> cuts(["a", "a", "a", "b", "b", "c"], 2)
    [0, 2, 3, 5, 6]
    >>> cuts(["a", "a", "b", "b", "c"], 4)
    [0, 4, 5]
    """
    starts = [0]
    for place in range(1, len(prompts)):
        begun = place - starts[-1]
        if begun < most and prompts[place] == prompts[place - 1]:
            continue
        # Up to where the answers of the prompt that begins here would reach.
        reach = next((more for more in range(place, len(prompts)) if prompts[more] != prompts[place]), len(prompts))
        if begun >= most or reach - starts[-1] > most:
            starts.append(place)
    return [*starts, len(prompts)] if prompts else [0]
