"""Rows of all requests and clients -> batches -> rewards: who waits is answered together. Knows no HTTP.

1. A job (the rows of one request) is admitted, or refused where too much waits already. 2. All jobs that came are read
together (rendered, counted, refused row by row) on one thread. 3. Rows wait by family, so that answers to one prompt
meet; a batch takes families, the one that waits longest first, within a budget of distinct tokens, and is run on
another thread. While it runs, the next one gathers. 4. A job is answered when its last row is.

A job keeps the engine it came to: a model that is swapped in meanwhile serves the jobs after it, and no job is answered
by two models. A job whose client has gone takes its waiting rows along.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from assay.scorers.protocol import Unscored
from assay.serve.asked import Asked, size_of
from assay.serve.jobs import Answered, EndedError, Job, Waiting
from assay.serve.row_engine import ReadRow, RowEngine

READ_AT_ONCE = 2048  # rows rendered in one call: as many as the tokenizer takes at once
LONGEST_GATHER = 0.05  # seconds an unfilled batch is held at most, however many still come
GATHER_SHARE = 0.05  # of the batch before: what waiting for company may cost
LONGEST_ASKED_WAIT = 60.0  # seconds: no client is told to stay away longer
T = TypeVar("T")
log = logging.getLogger("assay.serve")


class QueueFullError(Exception):
    """Too much waits already. seconds: after which there should be room."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the queue is full; try again in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """tokens: distinct ones in a batch. quiet: seconds; see Batcher. queue_rows, queue_tokens: what may wait."""

    tokens: int
    quiet: float
    queue_rows: int
    queue_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """A batch that was run. tokens: distinct ones, as planned; asked: of all its rows."""

    rows: int
    families: int
    tokens: int
    asked: int
    seconds: float


Family = tuple[int, Hashable]  # an engine and what rows of it begin with


class Batcher:
    """Gathers, reads and runs. Made and used in one event loop; `start` before the first job, `close` at the end.

    engine: what new jobs are given to. ran: is told of each batch. An unfilled batch is run once no row has come for
    `quiet` seconds: clients that were answered together come back together, and the first of them should not be run
    alone.
    """

    def __init__(
        self, engine: RowEngine, limits: BatchLimits, *, ran: Callable[[BatchRun], None] = lambda _batch: None
    ) -> None:
        self.engine, self.limits, self.ran = engine, limits, ran
        self._arrived: deque[Job] = deque()
        self._families: dict[Family, deque[Waiting]] = {}  # in the order in which their oldest row came
        self._jobs: set[Job] = set()
        self._reading = 0
        self._last_arrival = 0.0
        self._rate: float | None = None  # tokens a second of late
        self._last_seconds, self._last_rows = 0.0, 0
        self._to_read, self._to_run, self._idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._idle.set()
        # Own threads: the event loop answers health checks and refusals while a pass runs.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="assay-read")
        self._runner = ThreadPoolExecutor(1, thread_name_prefix="assay-run")
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._loops = [asyncio.create_task(self._read_jobs()), asyncio.create_task(self._run_batches())]
        for loop in self._loops:
            loop.add_done_callback(self._loop_ended)

    def _loop_ended(self, loop: asyncio.Task[None]) -> None:
        """No job may wait for a loop that is no more: clients would hang until they lose patience."""
        if not loop.cancelled() and (error := loop.exception()) is not None:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error("the batcher has ended: %s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
            self.give_up()

    @property
    def alive(self) -> bool:
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

    @property
    def waiting_rows(self) -> int:
        """Rows that have no reward yet."""
        return sum(job.left or len(job.asked) for job in self._jobs)

    @property
    def waiting_tokens(self) -> int:
        return sum(job.size for job in self._jobs)

    async def submit(self, asked: Sequence[Asked], *, whole: bool = False) -> Answered:
        """The reward of each row, or why it has none, in the order given.

        whole: nothing is run where one row cannot be read, for answers that have no place for a row without a reward.
        Raises QueueFullError, EndedError where they were given up, and ScoringError where the engine fails on these
        very rows. Cancelled, it takes along what has not been run.
        """
        if not self.alive:
            raise EndedError("the batcher has ended: see the log")
        size = sum(map(size_of, asked))
        self._admit(len(asked), size)
        loop = asyncio.get_running_loop()
        job = Job(
            asked=asked, engine=self.engine, whole=whole, done=loop.create_future(), size=size, born=time.monotonic()
        )
        if not asked:
            job.finish()
            return job.done.result()
        self._jobs.add(job)
        self._idle.clear()
        self._arrived.append(job)
        self._last_arrival = job.born
        self._to_read.set()
        try:
            return await job.done
        finally:
            self._forget(job)

    async def finished(self) -> None:
        """Returns when no job waits or runs."""
        await self._idle.wait()

    async def on_model_thread(self, work: Callable[[], T]) -> T:
        """Between two batches, what must not run beside one."""
        return await asyncio.get_running_loop().run_in_executor(self._runner, work)

    def give_up(self) -> int:
        """Have every job that is not answered raise EndedError; returns how many."""
        jobs = list(self._jobs)
        for job in jobs:
            job.give_up()
        return len(jobs)

    async def close(self) -> None:
        """Ends. A pass that runs is not waited for: it may wait itself for a server that never answers."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self.give_up()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._runner.shutdown(wait=False, cancel_futures=True)

    def _admit(self, rows: int, size: int) -> None:
        waiting_rows, waiting_tokens = self.waiting_rows, self.waiting_tokens
        # One job is always taken: a request within its own limits may be larger than the queue.
        full = waiting_rows + rows > self.limits.queue_rows or waiting_tokens + size > self.limits.queue_tokens
        if self._jobs and full:
            seconds = waiting_tokens / self._rate if self._rate else 1.0
            raise QueueFullError(float(min(max(math.ceil(seconds), 1), LONGEST_ASKED_WAIT)))

    def _forget(self, job: Job) -> None:
        """A job that is answered or given up, and whatever of it still waits."""
        self._jobs.discard(job)
        if job.left or not job.results:
            for family in list(self._families):
                kept = deque(one for one in self._families[family] if one.job is not job)
                if kept:
                    self._families[family] = kept
                else:
                    del self._families[family]
        if not self._jobs:
            self._idle.set()

    async def _read_jobs(self) -> None:
        while True:
            await self._to_read.wait()
            jobs = self._next_to_read()
            if not jobs:
                self._to_read.clear()
                continue
            self._reading += 1
            try:
                await self._read_together(jobs)
            finally:
                self._reading -= 1
                self._to_run.set()

    def _next_to_read(self) -> list[Job]:
        """Jobs of one engine, the oldest first, as many as are rendered in one call."""
        jobs: list[Job] = []
        rows = 0
        while self._arrived:
            job = self._arrived[0]
            if job.done.done():  # its client has gone
                self._arrived.popleft()
                continue
            if jobs and (job.engine is not jobs[0].engine or rows + len(job.asked) > READ_AT_ONCE):
                break
            jobs.append(self._arrived.popleft())
            rows += len(job.asked)
        return jobs

    async def _read_together(self, jobs: Sequence[Job]) -> None:
        asked = [one for job in jobs for one in job.asked]
        engine = jobs[0].engine
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._reader, engine.read, asked)
        except Exception as error:
            if len(jobs) > 1:  # one of them, perhaps: the others should not pay for it
                for job in jobs:
                    await self._read_together([job])
            else:
                jobs[0].fail(error)
            return
        start = 0
        for job in jobs:
            self._read_one(job, rows[start : start + len(job.asked)])
            start += len(job.asked)

    def _read_one(self, job: Job, rows: Sequence[ReadRow | Unscored]) -> None:
        """Put a job's rows among those that wait."""
        if job.done.done():
            return
        job.results, job.left = [None] * len(rows), len(rows)
        job.families = tuple(row.family if isinstance(row, ReadRow) else None for row in rows)
        job.tokens = job.size = sum(row.tokens for row in rows if isinstance(row, ReadRow))
        refused = [(place, row) for place, row in enumerate(rows) if isinstance(row, Unscored)]
        if refused and job.whole:
            for place, reason in refused:
                job.results[place] = reason
            job.left = 0
            job.finish()
            return
        for place, row in enumerate(rows):
            if isinstance(row, ReadRow):
                self._families.setdefault((id(job.engine), row.family), deque()).append(Waiting(job, place, row))
        for place, reason in refused:
            job.settle(place, reason)

    async def _run_batches(self) -> None:
        while True:
            await self._to_run.wait()
            if not self._families:
                self._to_run.clear()
                continue
            await self._gather()
            # No name for the batch here: while nobody asks it would hold the engine, of a model swapped out since.
            await self._run(*self._take())

    async def _gather(self) -> None:
        """Wait for company while it comes: until a batch is full, or nothing came for `quiet` seconds, or long enough.

        Fewer rows than the batch before had are likely the first of the same clients: those are waited for, silence or
        not, at the price of a small share of that batch.
        """
        quiet = self.limits.quiet
        longest = min(LONGEST_GATHER, max(2 * quiet, GATHER_SHARE * self._last_seconds))
        end = time.monotonic() + longest
        while (now := time.monotonic()) < end and self._planned_tokens() < self.limits.tokens:
            silent = not (self._reading or self._arrived) and now - self._last_arrival >= quiet
            if silent and sum(map(len, self._families.values())) >= self._last_rows:
                return
            await asyncio.sleep(min(quiet, end - now) or 0)

    def _planned_tokens(self) -> int:
        return sum(one.row.tokens - one.row.shared for several in self._families.values() for one in several) + sum(
            several[0].row.shared for several in self._families.values()
        )

    def _take(self) -> tuple[list[Waiting], int]:
        """The next batch and its distinct tokens: families in order, of one engine, within the budget."""
        batch: list[Waiting] = []
        tokens, engine = 0, None
        for family in list(self._families):
            several = self._families[family]
            if engine is None:
                engine = family[0]
            elif family[0] != engine:
                break
            cost = several[0].row.shared + sum(one.row.tokens - one.row.shared for one in several)
            if batch and tokens + cost > self.limits.tokens:
                break
            tokens += several[0].row.shared
            # A family larger than the budget goes in parts; one that fits is never torn, or its prompt runs twice.
            while several and (
                not batch or tokens + several[0].row.tokens - several[0].row.shared <= self.limits.tokens
            ):
                one = several.popleft()
                tokens += one.row.tokens - one.row.shared
                batch.append(one)
            if several:
                # Its oldest row is younger now: rows keep coming to one prompt, and would keep it first for ever.
                self._families = dict(sorted(self._families.items(), key=lambda one: one[1][0].job.born))
                break
            del self._families[family]
        return batch, tokens

    async def _run(self, batch: Sequence[Waiting], tokens: int) -> None:
        if not batch:  # whose clients have all gone
            return
        engine, start = batch[0].job.engine, time.monotonic()
        for one in batch:
            if one.job.started is None:
                one.job.started = start
        try:
            results = await self.on_model_thread(lambda: engine.run([one.row for one in batch]))
        except Exception as error:
            await self._run_apart(batch, error)
            return
        seconds = time.monotonic() - start
        self._last_seconds, self._last_rows = seconds, len(batch)
        asked = sum(one.row.tokens for one in batch)
        rate = asked / max(seconds, 1e-6)
        self._rate = rate if self._rate is None else 0.8 * self._rate + 0.2 * rate
        families = len({one.row.family for one in batch})
        self.ran(BatchRun(rows=len(batch), families=families, tokens=tokens, asked=asked, seconds=seconds))
        for one, result in zip(batch, results, strict=True):
            one.job.settle(one.place, result)

    async def _run_apart(self, batch: Sequence[Waiting], error: Exception) -> None:
        """A batch that failed, job by job: what fails then is that job's own fault and costs no other."""
        jobs = list(dict.fromkeys(one.job for one in batch))
        if len(jobs) == 1:
            jobs[0].fail(error)
            return
        for job in jobs:
            if not job.done.done():
                own = [one for one in batch if one.job is job]
                await self._run(own, sum(one.row.tokens for one in own))
