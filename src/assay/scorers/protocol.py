"""What every scorer offers: one method that gives each answer a Reward, or says why there is none.

`scored` is the one place where a number that is not finite becomes an Unscored; `score_groups` is how scorers are
called, held against what they promise. Knows candidates; knows no kind of scorer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, cast, runtime_checkable

from assay.errors import InputError
from assay.records import Candidates

if TYPE_CHECKING:
    from assay.findings.finding import Finding

T = TypeVar("T")
NONE: Mapping[str, float] = {}  # one for all: most rewards have neither heads nor detail
NO_DETAIL: Mapping[str, object] = {}
CHUNK = 1024  # groups a scorer is asked about at once: enough to share prompts and fill passes, little enough to hold


@dataclass(frozen=True, slots=True)
class Reward:
    """One answer's reward: a finite number, higher is better.

    heads: what it was made of, by name of the objective, for scorers that have several. detail: what else the scorer
    says of it (a rationale, votes).
    """

    value: float
    heads: Mapping[str, float] = field(default_factory=lambda: NONE, hash=False)
    detail: Mapping[str, object] = field(default_factory=lambda: NO_DETAIL, hash=False)


@dataclass(frozen=True, slots=True)
class Unscored:
    """No reward for an answer, and why, in words that finish the sentence "it has no reward, because".

    too_long: whether the reason is that it has more tokens than are read.
    """

    reason: str
    too_long: bool = field(default=False, compare=False)

    @property
    def not_finite(self) -> bool:
        """Whether the scorer took the answer and gave no usable number, rather than not taking it at all.

        Such an answer is wrong in an audit; one that could not be taken stands apart. A scorer made of others puts
        the name of the one that gave no number before the reason.
        """
        return any(self.reason == one or self.reason.endswith(f": {one}") for one in NOT_FINITE)

    @property
    def set_aside(self) -> bool:
        """Whether the scorer never came to the answer: its block ended every worker that took it."""
        return self.reason.startswith(SET_ASIDE)


Scored = Reward | Unscored
Answered = tuple[Scored, ...]  # of one group, an answer each
SET_ASIDE = "its block was set aside"  # begins the reason of an answer that was never scored: see bulk/
NOT_FINITE = tuple(f"the reward is not finite: {value}" for value in (math.nan, math.inf, -math.inf))


@runtime_checkable
class Scorer(Protocol):
    """Scores groups of candidates under one prompt.

    name: for people. fingerprint: changes whenever scores may change.

    A scorer may also say `unit = "pair"`, where a reward holds within one pair only (recorded, or by comparison): pairs
    are then put to it as groups of two under their own ids. By default equal prompts make one group. One that says
    `reads_source = True` (a verifier, for the reference answer) gets groups with their `source`, else left out. One
    that says `keeps_replies = True` (a server's) has a cache of its own and goes on from that after an interruption.
    One that has `score_chunks` (workers side by side) is handed the chunks as they come; see ScoresChunks.
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """What each answer of each group gets, in the order given.

        An answer that cannot be scored is an Unscored; errors are for what makes all scoring impossible.
        """
        ...


class ScoresChunks(Protocol):
    """What a scorer that has several chunks scored at once offers besides `score`."""

    def score_chunks(self, chunks: Iterable[list[Candidates]]) -> Iterator[tuple[list[Candidates], list[Answered]]]:
        """Each chunk with what `score` of one process gives it, to the bit, in order."""
        ...


def scored(value: float, *, heads: Mapping[str, float] = NONE, detail: Mapping[str, object] = NO_DETAIL) -> Scored:
    """The Reward `value`, or, if it or one of its heads is not finite, an Unscored that says so."""
    for number in (value, *heads.values()):
        if not math.isfinite(number):
            return Unscored(f"the reward is not finite: {float(number)}")
    return Reward(value, heads, detail)


def score_groups(
    scorer: Scorer, groups: Iterable[Candidates], *, chunk: int = CHUNK
) -> Iterator[tuple[Candidates, tuple[Scored, ...]]]:
    """Each group with what the scorer gives its answers, a chunk of so many groups at a time.

    Raises InputError if it gives more or fewer results than there are answers, or one that is no Reward or Unscored.
    """
    for done in score_chunks(scorer, chunks(groups, chunk)):
        yield from done


def score_chunks(
    scorer: Scorer, asked: Iterable[list[Candidates]]
) -> Iterator[list[tuple[Candidates, tuple[Scored, ...]]]]:
    """As score_groups, of chunks that are made already: each chunk's groups with their results, in order."""
    # By name, since isinstance would ask for properties, and a fingerprint may take long.
    spread = cast("ScoresChunks", scorer) if hasattr(scorer, "score_chunks") else None
    answered = ((chunk, scorer.score(chunk)) for chunk in asked) if spread is None else spread.score_chunks(asked)
    for chunk, found in answered:
        if len(found) != len(chunk):
            raise InputError(f"{scorer.name} gave rewards for {len(found)} of {len(chunk)} groups of candidates.")
        done = []
        for group, results in zip(chunk, found, strict=True):
            if len(results) != len(group.answers):
                raise InputError(
                    f"{scorer.name} gave {len(results)} rewards for the {len(group.answers)} candidates of {group.id}."
                )
            done.append((group, tuple(_checked(scorer, result) for result in results)))
        yield done


def unit_of(scorer: Scorer) -> Literal["prompt", "pair"]:
    """Within what a scorer's rewards can be compared: see Scorer."""
    return "pair" if getattr(scorer, "unit", "prompt") == "pair" else "prompt"


def keeps_replies(scorer: Scorer) -> bool:
    """Whether a scorer goes on by itself after an interruption: see Scorer."""
    return bool(getattr(scorer, "keeps_replies", False))


def noticed(scorer: Scorer) -> list[Finding]:
    """What a scorer, once it has scored, found wrong with its own rewards. Most have nothing to say."""
    told = getattr(scorer, "noticed", None)
    return [] if told is None else list(told())


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of up to `size` items."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _checked(scorer: Scorer, result: Scored) -> Scored:
    if isinstance(result, Unscored):
        return result
    if not isinstance(result, Reward):
        raise InputError(
            f"{scorer.name} gave {result!r} for an answer; a scorer gives Reward(value) or Unscored(reason). A plain "
            "function of prompt and answers may give numbers: pass the function itself."
        )
    return (
        result
        if math.isfinite(result.value) and not result.heads
        else scored(result.value, heads=result.heads, detail=result.detail)
    )
