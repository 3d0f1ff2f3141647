"""A policy whose answers are written by several workers: to whoever calls it a Policy that answers one by one.

A block is the missing answers of some prompts. Each answer is handed on when it is finished, so a worker's death costs
those it was writing, and an answer has the same bits wherever it is written. Knows a crew; knows no Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.bulk.answer_parts import AnswerParts
from assay.bulk.dispatch import TRIES, Block, Crew, Given, dispatch
from assay.bulk.held_work import Told
from assay.errors import ModelError
from assay.policies.one_by_one import Asked, gathered, with_a_seed
from assay.policies.protocol import Generation, Generations, Made, Policy, Prompt, Sampling
from assay.stats.unknown import Unknown

BLOCK = 1024  # answers a worker is given at once: many times what it writes side by side, so lanes seldom stand empty
A_WORKER = 4  # blocks a worker at least, where there are answers enough: the last ones end at about one time


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBlock:
    """A block that is done. known: it was kept already. aside: all it asked, where some was set aside, and why."""

    answers: tuple[Generation, ...]
    known: bool
    aside: tuple[Asked, ...] = ()
    why: str = ""


class SpreadPolicy:
    """The policy `alike`, held by a crew; `alike` itself is asked its name and loads nothing. told: what it opened.

    aside: answers that are missing so far, since they, or others of their part, ended every worker that took them; each
    by its prompt's id and number.
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

    def blocks(self, asked: Iterable[Sequence[Asked]], kept: AnswerParts) -> Iterator[AnsweredBlock]:
        """Blocks of answers as they are done, in any order, each kept when all of it is written.

        Of a block with answers that were set aside nothing is kept. Raises what the workers' policies do.
        """
        begun: dict[int, tuple[Sequence[Asked], bool]] = {}  # the second: whether it is kept already
        found: dict[int, dict[int, Generation]] = {}

        def given() -> Iterator[Block[Asked, Generation]]:
            for number, some in enumerate(asked):
                known = kept.read(number, some)
                begun[number] = some, known is not None
                yield Block(number=number, items=tuple(some), known=known)

        for event in dispatch(self._crew, given(), tries=self._tries):
            some, known = begun[event.number]
            answers = found.setdefault(event.number, {})
            if isinstance(event, Given):
                answers |= event.results
                if not event.whole:
                    continue
                if not known:
                    kept.write(event.number, some, answers)
                yield AnsweredBlock(answers=tuple(answers.values()), known=known)
            else:
                self.aside += [(one.prompt.id, one.number) for one in some]  # a part is of whole blocks
                yield AnsweredBlock(answers=(), known=False, aside=tuple(some), why=event.why)
            del begun[event.number], found[event.number]

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
            f"{len(aside):,} answers are missing, since what was asked with them ended every worker that took it, such "
            f"as number {number} to prompt {prompt!r}. All others are done; the same command tries these again."
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
