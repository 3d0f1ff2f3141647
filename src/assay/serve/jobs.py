"""The rows of one request while they wait: what is known of each so far, and what the request comes to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from assay.errors import AssayError, first_line
from assay.scorers.protocol import Scored, Unscored
from assay.serve.asked import Asked
from assay.serve.refusal import NOT_RUN
from assay.serve.row_engine import ReadRow, RowEngine


class EndedError(Exception):
    """The server ended before these rows had their rewards."""


class ScoringError(Exception):
    """The engine failed on a job's rows by themselves. kind: of the error, for a log: its words may be of a row."""

    def __init__(self, told: str, kind: str) -> None:
        super().__init__(told)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a job came to. engine: that gave the rewards; waited: seconds before the first batch.

    families: what each row begins with, as `ReadRow` has it; None of one that could not be read.
    """

    results: tuple[Scored, ...]
    families: tuple[Hashable | None, ...]
    tokens: int
    engine: RowEngine
    waited: float


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """The rows of one request, and what became of them so far."""

    asked: Sequence[Asked]
    engine: RowEngine
    whole: bool
    done: asyncio.Future[Answered]
    size: int
    born: float
    results: list[Scored | None] = field(default_factory=list)
    families: tuple[Hashable | None, ...] = ()
    left: int = 0
    tokens: int = 0
    started: float | None = None

    def settle(self, place: int, result: Scored) -> None:
        self.results[place] = result
        self.left -= 1
        if not self.left:
            self.finish()

    def finish(self) -> None:
        if self.done.done():
            return
        started = time.monotonic() if self.started is None else self.started
        results = tuple(one if one is not None else Unscored(NOT_RUN) for one in self.results)
        answered = Answered(
            results=results, families=self.families, tokens=self.tokens, engine=self.engine,
            waited=started - self.born,
        )  # fmt: skip
        self.done.set_result(answered)

    def give_up(self) -> None:
        if not self.done.done():
            self.done.set_exception(EndedError("this server has ended before the rewards were there"))

    def fail(self, error: Exception) -> None:
        """The engine failed on these rows by themselves."""
        if not self.done.done():
            # Of errors that are not ours the kind alone: their words may repeat what was sent.
            kind = type(error).__name__
            self.done.set_exception(ScoringError(first_line(error) if isinstance(error, AssayError) else kind, kind))


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One row that waits, and whose it is."""

    job: Job
    place: int
    row: ReadRow
