"""A batcher in a loop of its own, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from assay.scorers.protocol import Reward
from assay.serve.batching import Batcher, BatchLimits, BatchRun
from assay.serve.jobs import Answered
from assay.serve.row_engine import RowEngine

T = TypeVar("T")


def limits(**changed: float) -> BatchLimits:
    values = {"tokens": 4096, "quiet": 0.002, "queue_rows": 4096, "queue_tokens": 10**6, **changed}
    return BatchLimits(**values)  # type: ignore[arg-type]


def ran(
    engine: RowEngine, work: Callable[[Batcher], Awaitable[T]], given: BatchLimits | None = None
) -> tuple[T, list[BatchRun]]:
    """What `work` gives with a batcher, and the batches there were."""
    batches: list[BatchRun] = []

    async def all_of_it() -> T:
        async with batching(engine, given or limits(), batches) as batcher:
            return await work(batcher)

    return asyncio.run(all_of_it()), batches


@asynccontextmanager
async def batching(engine: RowEngine, given: BatchLimits, batches: list[BatchRun]) -> AsyncIterator[Batcher]:
    batcher = Batcher(engine, given, ran=batches.append)
    batcher.start()
    try:
        yield batcher
    finally:
        await batcher.close()


def values(answered: Answered) -> list[float]:
    assert all(isinstance(one, Reward) for one in answered.results), answered.results
    return [one.value for one in answered.results if isinstance(one, Reward)]
