"""A scorer whose chunks of groups are scored by several workers: to whoever calls it a Scorer like any other.

A chunk is what a single process asks its scorer at once, so rewards have the bits of a single process. Chunks are given
out as they come and handed on in their order; what is done is kept, and what ended every worker has a reason in place
of its rewards. Knows a crew and what is kept; knows no Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.bulk.dispatch import TRIES, Block, Crew, Given, dispatch
from assay.bulk.held_work import Put, Told
from assay.errors import ModelError
from assay.records import Candidates
from assay.scorers.group_digest import group_digest
from assay.scorers.protocol import SET_ASIDE, Answered, Scorer, Unscored, unit_of

AHEAD = 4  # blocks a worker that may be begun beyond the oldest unfinished one; texts and results of all are held

Chunk = list[Candidates]


class Kept(Protocol):
    """Where results of blocks go and are found again, by number and digest; see kept_scores, score_parts."""

    def read(self, number: int, key: str, groups: Sequence[Candidates]) -> Mapping[int, Answered] | None: ...

    def write(self, number: int, key: str, groups: Sequence[Candidates], results: Mapping[int, Answered]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Groups that were not scored, since they ended every worker that took them: how many, first and last, why."""

    groups: int
    first: str
    last: str
    why: str

    @property
    def words(self) -> str:
        span = repr(self.first) if self.groups == 1 else f"{self.groups} prompts from {self.first!r} to {self.last!r}"
        return f"{span} ({self.why})"


class SpreadScorer:
    """The scorer of one seed, `alike`, held by a crew; `alike` itself is asked what it promises and loads nothing.

    told: what the workers opened. threads: of each, where the last bits of rewards hang on it. kept: where what is done
    goes, so that a killed command goes on. aside: what was set aside so far.
    """

    def __init__(
        self,
        alike: Scorer,
        crew: Crew[Put, Answered],
        told: Callable[[], Told],
        *,
        seed: int = 0,
        threads: int | None = None,
        kept: Kept | None = None,
        tries: int = TRIES,
    ) -> None:
        self.alike, self._crew, self._told, self._seed, self._kept, self._tries = alike, crew, told, seed, kept, tries
        self._threads = threads
        self.unit = unit_of(alike)
        self.reads_source = bool(getattr(alike, "reads_source", False))
        self.aside: list[Aside] = []

    @property
    def name(self) -> str:
        return self.alike.name

    @property
    def fingerprint(self) -> str:
        """Of what the workers opened."""
        return self._told().fingerprints[self._seed]

    @property
    def rendering(self) -> str | None:
        """With what the workers make tokens of texts; None where no model does."""
        return self._told().renderings.get(self._seed)

    def score(self, groups: Sequence[Candidates]) -> list[Answered]:
        """One chunk, by one worker; see `score_chunks`."""
        return [one for _, found in self.score_chunks([list(groups)]) for one in found]

    def score_chunks(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, list[Answered]]]:
        """Each chunk with what its groups get, in order, several at once. Raises what the workers' scorers do."""
        made_by, kept = f"{self.fingerprint} with {self._threads} threads", self._kept
        asked: dict[int, tuple[Chunk, str | None]] = {}  # no digest where a chunk is kept already
        found: dict[int, dict[int, Answered]] = {}

        def blocks() -> Iterator[Block[Put, Answered]]:
            for number, chunk in enumerate(chunks):
                key = group_digest(made_by, chunk)
                known = None if kept is None else kept.read(number, key, chunk)
                asked[number] = chunk, key if known is None else None
                yield Block(number=number, items=tuple(Put(self._seed, group) for group in chunk), known=known)

        following = 0
        for event in dispatch(self._crew, blocks(), tries=self._tries, ahead=AHEAD * self._crew.size):
            chunk, key = asked[event.number]
            if isinstance(event, Given):
                found.setdefault(event.number, {}).update(event.results)
                if kept is not None and key is not None and event.whole:
                    kept.write(event.number, key, chunk, found[event.number])
            else:
                aside = [chunk[place] for place in event.places]
                self.aside.append(Aside(groups=len(aside), first=aside[0].id, last=aside[-1].id, why=event.why))
                found.setdefault(event.number, {}).update(
                    {place: unanswered(chunk[place], event.why) for place in event.places}
                )
            while following in found and len(found[following]) == len(asked[following][0]):
                chunk, _ = asked.pop(following)
                results = found.pop(following)
                following += 1
                yield chunk, [results[place] for place in range(len(chunk))]


def refuse_aside(aside: Sequence[Aside]) -> None:
    """Raises ModelError where groups were set aside: all others are done, and so the command did not do all."""
    if aside:
        raise ModelError(
            f"{sum(one.groups for one in aside):,} prompts have no rewards, since their blocks ended every worker that "
            f"took them: {'; '.join(one.words for one in aside[:5])}. All others are done; the same command tries "
            "these again."
        )


def unanswered(group: Candidates, why: str) -> Answered:
    return tuple(Unscored(f"{SET_ASIDE}: {why}") for _ in group.answers)
