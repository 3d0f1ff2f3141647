"""Nobody pays for others: batches, the queue, clients that go, engines that fail and engines that change."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from assay.scorers.protocol import Reward, Scored, Unscored
from assay.serve.asked import Asked, Finished
from assay.serve.batching import Batcher, QueueFullError
from assay.serve.jobs import Answered, EndedError, ScoringError
from assay.serve.row_engine import ReadRow
from tests.serve.batchers import limits, ran, values


class Slow:
    """An engine of numbers: a row's reward is its length; runs when it is let, fails where a row says so."""

    scorer = None

    def __init__(self, *, held: bool = False) -> None:
        self.let = threading.Event()
        if not held:
            self.let.set()
        self.rows_run: list[list[str]] = []
        self.running: Callable[[Sequence[ReadRow]], None] = lambda _rows: None

    def read(self, asked: Sequence[Asked]) -> list[ReadRow | Unscored]:
        texts = [one.text for one in asked if isinstance(one, Finished)]
        if any("unreadable" in text for text in texts):
            raise ValueError("secret words of a row")
        return [ReadRow(value=text, tokens=len(text), shared=0, family=text[:1]) for text in texts]

    def run(self, rows: Sequence[ReadRow]) -> list[Scored]:
        assert self.let.wait(20)
        self.running(rows)
        self.rows_run.append([str(row.value) for row in rows])
        if any("poison" in str(row.value) for row in rows):
            raise RuntimeError("secret words of a row")
        return [Reward(float(row.tokens)) for row in rows]


async def soon(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


def test_a_full_queue_is_refused_with_a_time_and_empties() -> None:
    engine = Slow(held=True)

    async def work(batcher: Batcher) -> list[Answered]:
        first = asyncio.create_task(batcher.submit([Finished(text="aaaa")] * 6))  # larger than the queue: taken alone
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFullError) as full:
            await batcher.submit([Finished(text="b")])
        assert full.value.seconds >= 1
        engine.let.set()
        return [await first, await batcher.submit([Finished(text="b")])]

    found, _ = ran(engine, work, limits(queue_rows=4))
    assert [len(one.results) for one in found] == [6, 1]


def test_a_client_that_went_takes_its_waiting_rows_along() -> None:
    engine = Slow(held=True)

    async def work(batcher: Batcher) -> Answered:
        running = asyncio.create_task(batcher.submit([Finished(text="running")]))
        await soon(lambda: not batcher._families and batcher.waiting_rows == 1)
        gone = asyncio.create_task(batcher.submit([Finished(text="gone")] * 3))
        stays = asyncio.create_task(batcher.submit([Finished(text="greets")]))
        await soon(lambda: len(batcher._families) == 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        engine.let.set()
        await running
        return await stays

    found, _ = ran(engine, work)
    assert values(found) == [6.0]
    assert engine.rows_run == [["running"], ["greets"]]


def test_a_prompt_that_never_runs_out_of_answers_keeps_nobody_waiting() -> None:
    """Clients that send on and on to one prompt fill every batch; whoever asks of another is answered in turn."""
    engine = Slow()

    async def work(batcher: Batcher) -> int:
        ended = False

        async def flood() -> None:
            while not ended:
                await batcher.submit([Finished(text="aaaa")])

        def crowded(_rows: Sequence[ReadRow]) -> None:
            # A batch is two of twelve: the ten others wait, and the two of the batch before have come again.
            while not ended and sum(map(len, list(batcher._families.values()))) < 10:
                time.sleep(0.001)

        engine.running = crowded
        floods = [asyncio.create_task(flood()) for _ in range(12)]
        await soon(lambda: len(engine.rows_run) > 2)
        before = len(engine.rows_run)
        late = asyncio.create_task(batcher.submit([Finished(text="bbbb")]))
        await soon(lambda: late.done() or len(engine.rows_run) > before + 50)
        ended = True
        await asyncio.gather(*floods, late)
        return next(n for n, rows in enumerate(engine.rows_run) if "bbbb" in rows) - before

    waited, _ = ran(engine, work, limits(tokens=8, quiet=0))
    assert waited <= 12


def test_a_row_that_breaks_the_engine_costs_no_other_and_tells_no_text() -> None:
    engine = Slow()

    async def work(batcher: Batcher) -> list[object]:
        texts = ("fine", "poison", "good", "unreadable", "well")
        asked = (batcher.submit([Finished(text=text)]) for text in texts)
        return await asyncio.gather(*asked, return_exceptions=True)

    found, _ = ran(engine, work)
    assert [values(found[n]) for n in (0, 2, 4)] == [[4.0], [4.0], [4.0]]  # type: ignore[arg-type]
    assert isinstance(found[1], ScoringError)
    assert isinstance(found[3], ScoringError)
    assert "secret" not in f"{found[1]} {found[3]}"


def test_nobody_waits_for_a_batcher_that_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    """By a mistake of ours: what waits and what comes is told so, and so is the log, in which no text stands."""
    engine = Slow()

    async def work(batcher: Batcher) -> None:
        batcher.ran = lambda _batch: {}["secret words of a row"]
        for _ in range(2):
            with pytest.raises(EndedError):
                await asyncio.wait_for(batcher.submit([Finished(text="aaaa")]), 20)
        assert not batcher.alive

    ran(engine, work)
    assert "the batcher has ended: KeyError at" in caplog.text
    assert "secret" not in caplog.text


def test_a_model_that_is_swapped_in_serves_what_comes_after() -> None:
    old, new = Slow(held=True), Slow()

    async def work(batcher: Batcher) -> list[Answered]:
        before = [asyncio.create_task(batcher.submit([Finished(text="before")] * 2)) for _ in range(3)]
        await asyncio.sleep(0.02)
        batcher.engine = new  # type: ignore[assignment]
        after = [asyncio.create_task(batcher.submit([Finished(text="after")])) for _ in range(3)]
        await asyncio.sleep(0.02)
        old.let.set()
        return await asyncio.gather(*before, *after)

    found, _ = ran(old, work, limits(tokens=14))
    assert [one.engine for one in found] == [old] * 3 + [new] * 3
    assert {row for rows in old.rows_run for row in rows} == {"before"}
    assert {row for rows in new.rows_run for row in rows} == {"after"}
