"""What a server holds from its start to its end: the reward that is served now, the batcher, the gate, how it stands.

Every change of state is here: a model swapped in, a gate that closed, the end that lets what is under way finish. Knows
rows and rewards; knows no HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from assay.errors import AssayError, first_line
from assay.scorers.protocol import Unscored
from assay.serve.asked import characters_of, messages_of
from assay.serve.batching import Batcher, BatchLimits, QueueFullError
from assay.serve.config import ServeConfig
from assay.serve.dialects.dialect import Answering, Dialect, Parsed, refused_rows
from assay.serve.gate_pass import GateWatch
from assay.serve.jobs import Answered, EndedError, ScoringError
from assay.serve.prometheus_text import Labels
from assay.serve.refusal import RefusedError
from assay.serve.row_engine import RowEngine
from assay.serve.served_reward import Identity, Opening, ServedReward, open_served, probe, uncertainty_of
from assay.serve.service_counts import ServiceCounts
from assay.serve.watch.model_watch import ModelWatch
from assay.serve.watch.prepare_watch import prepared_watch
from assay.serve.watch.reward_watcher import RewardWatcher
from assay.serve.watch.snapshot_file import SnapshotPlan

log = logging.getLogger("assay.serve")
PASSES = (
    4  # forward passes in a batch where nothing else is said: enough for prompts to meet, little enough to wait for
)
SPREAD = 8  # times the bytes of a body that its rows may hold as text, every row with its prompt
LEAST_TURN = len('{"role":"a","content":""}')  # bytes of a body that a turn takes, however little is said in it
CPU_BATCH, GPU_BATCH = PASSES * 2048, PASSES * 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The body of an answer, and the identity and the gate of the model that gave its rewards."""

    body: object
    identity: Identity
    gate: str


class RewardService:
    """Serves one reward at a time. `start` and `close` belong to the event loop that answers.

    Raises ConfigError for a limit on what is served (`serve.watch`) that this reward cannot be held to.
    """

    def __init__(
        self, served: ServedReward, config: ServeConfig, opening: Opening, *, on_gpu: bool = False,
        snapshot: SnapshotPlan | None = None,
    ) -> None:  # fmt: skip
        self.watching = RewardWatcher(config.watch, snapshot)
        self.watching.begin(served.engine, prepared_watch(served, self.watching))
        self.served, self.config, self.opening = served, config, opening
        self.draining = False
        self._hurried, self._drained = asyncio.Event(), asyncio.Event()
        self._first = served.spec
        self._swap = asyncio.Lock()
        # Own threads, as the batcher's: those of the loop are waited for at its end, however long they take.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="assay-load")
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="assay-gate")
        self._watcher: asyncio.Task[None] | None = None
        # Answers say which model gave them and what its gate said; one may be of the model before a swap.
        self._who: WeakKeyDictionary[RowEngine, tuple[Identity, GateWatch]] = WeakKeyDictionary()
        self._who[served.engine] = served.identity, served.watch
        limits = BatchLimits(
            tokens=config.batch_tokens or (GPU_BATCH if on_gpu else CPU_BATCH),
            quiet=config.quiet, queue_rows=config.queue_rows, queue_tokens=config.queue_tokens,
        )  # fmt: skip
        self.batcher = Batcher(served.engine, limits)
        self.counts = ServiceCounts(
            self.batcher, gate_open=lambda: self.served.watch.closed is None, told=lambda: self.told,
            watching=self.watching,
        )  # fmt: skip
        self.batcher.ran = self.counts.ran

    @property
    def identity(self) -> Identity:
        return self.served.identity

    @property
    def gate(self) -> str:
        """How the gate stands, for a header."""
        return self.served.watch.header

    @property
    def told(self) -> Labels:
        """What is served, as labels."""
        return ("fingerprint", self.identity.fingerprint), ("gate", self.gate), ("name", self.identity.name)

    def start(self) -> None:
        self.batcher.start()
        self._watcher = asyncio.create_task(self._watch_gate())

    async def close(self) -> None:
        """Refuse what is new, let what is under way finish within `drain_seconds`, end."""
        await self.drain()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self.batcher.close()
        await self.watching.close()
        for pool in (self._loader, self._looker):
            pool.shutdown(wait=False, cancel_futures=True)

    async def drain(self) -> None:
        """Refuse what is new and wait for what is under way; what is not answered within `drain_seconds` is refused."""
        if self.draining:
            await self._drained.wait()
            return
        self.draining = True
        log.info("ending: new requests are refused, those under way are answered")
        waits = [asyncio.ensure_future(one) for one in (self.batcher.finished(), self._hurried.wait())]
        try:
            await asyncio.wait(waits, timeout=self.config.drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            if given_up := self.batcher.give_up():
                log.warning("%d requests were not answered in time and are refused", given_up)
            self._drained.set()

    def hurry(self) -> None:
        """End the wait of `drain` now."""
        self._hurried.set()

    def not_ready(self) -> str | None:
        """Why no rewards are given now, or None."""
        if self.draining:
            return "this server is ending"
        if not self.batcher.alive:
            return "the batcher has ended: see the log"
        return None if self.served.watch.closed is None else "the gate of this reward no longer passes"

    def refuse_unready(self) -> None:
        """Raises RefusedError (503) where no rewards are given now."""
        if (why := self.not_ready()) is not None:
            raise RefusedError(503, why, retry_after=5)

    def refuse_many(self, rows: int) -> None:
        """Raises RefusedError (413) for more rows than one request may ask."""
        if rows > self.config.rows:
            raise RefusedError(413, f"{rows} rows in one request; this server takes {self.config.rows}")

    def _refuse_spread(self, parsed: Parsed) -> None:
        """Raises RefusedError (413) for rows that are far more text than the body was: one prompt and many answers."""
        most = SPREAD * self.config.body_bytes
        # Turns first: they are counted without a look at each, and may be hundreds of millions without a word.
        for what, count, limit in (("turns", messages_of, most // LEAST_TURN), ("characters", characters_of, most)):
            found = sum(map(count, parsed.asked))
            if found > limit:
                raise RefusedError(
                    413,
                    f"{found} {what} in {len(parsed.asked)} rows with their prompts; this server takes {limit}: "
                    "send fewer answers to a prompt in one request",
                )

    async def answer(self, dialect: Dialect, parsed: Parsed) -> Reply:
        """The body of the answer. Raises RefusedError."""
        self.refuse_unready()
        identity = self.identity
        if parsed.model is not None and parsed.model not in identity.names:
            # Its own name, not theirs: what a client sends is repeated nowhere.
            raise RefusedError(404, f"the model that was asked for is not served; {identity.name} is")
        self.refuse_many(len(parsed.asked))
        self._refuse_spread(parsed)
        start = time.monotonic()
        answered = await self._submitted(parsed)
        self.watching.answered(answered, parsed)
        unscored = sum(isinstance(one, Unscored) for one in answered.results)
        if parsed.whole and unscored:
            self.counts.rows.add(len(answered.results), outcome="refused")
            raise RefusedError(422, refused_rows(answered.results))
        self.counts.rows.add(len(answered.results) - unscored, outcome="rewarded")
        self.counts.rows.add(unscored, outcome="refused")
        self.counts.waited.observe(answered.waited)
        seconds = time.monotonic() - start
        self.counts.took.observe(seconds)
        identity, watch = self._who[answered.engine]
        scorer = answered.engine.scorer
        told = Answering(
            parsed=parsed, results=answered.results, tokens=answered.tokens, model=parsed.model or identity.name,
            fingerprint=identity.fingerprint, id=secrets.token_hex(8), seconds=round(seconds, 6),
            uncertainty=() if parsed.whole else [uncertainty_of(scorer, one) for one in answered.results],
        )  # fmt: skip
        return Reply(body=dialect.answer(told), identity=identity, gate=watch.header)

    async def _submitted(self, parsed: Parsed) -> Answered:
        engine = self.batcher.engine
        try:
            return await self.batcher.submit(parsed.asked, whole=parsed.whole)
        except QueueFullError as error:
            raise RefusedError(429, str(error), retry_after=error.seconds) from None
        except EndedError as error:
            raise RefusedError(503, str(error), retry_after=5) from None
        except ScoringError as error:
            log.warning("a request could not be scored (%s)", error.kind)
            self.watching.failed(engine, len(parsed.asked))
            raise RefusedError(500, f"the reward could not be computed: {error}") from None

    async def swap(self, spec: str | None = None) -> Identity:
        """Serve another reward, or what now stands where this one was named; requests go on meanwhile.

        It is opened behind its gate and probed first; then new requests go to it, and those that came before are
        answered by the model they came to. Raises RefusedError where a swap is under way, and what opening raises.
        """
        if self._swap.locked():
            raise RefusedError(409, "another model is being loaded")
        async with self._swap:
            wanted = spec or self.served.spec
            try:
                served, watch = await self._opened(wanted)
            except Exception as error:
                self.counts.swaps.add(outcome="refused")
                told = first_line(error) if isinstance(error, AssayError) else type(error).__name__
                log.warning("the model is not changed: %s", told)
                raise
            self._who[served.engine] = served.identity, served.watch
            self.watching.begin(served.engine, watch)
            self.served, self.batcher.engine = served, served.engine
            self.counts.swaps.add(outcome="done")
            log.info("now served: %s (%s, gate: %s)", served.identity.name, served.identity.fingerprint, self.gate)
            return served.identity

    async def _opened(self, spec: str) -> tuple[ServedReward, ModelWatch]:
        # The gate's folder and the template named at the start are of the reward of the start, and of no other.
        opening = self.opening if spec == self._first else replace(self.opening, gate=None, template=None)
        loop = asyncio.get_running_loop()
        served = await loop.run_in_executor(self._loader, open_served, spec, opening)
        # Between two batches: a probe beside a running pass would be measured in its company.
        await self.batcher.on_model_thread(lambda: probe(served.engine))
        watch = await self.batcher.on_model_thread(lambda: prepared_watch(served, self.watching))
        return served, watch

    async def _watch_gate(self) -> None:
        while True:
            await asyncio.sleep(self.config.gate_seconds)
            watch = self.served.watch
            # It hashes a model where the file changed.
            if await asyncio.get_running_loop().run_in_executor(self._looker, watch.look):
                if watch.closed is None:
                    log.warning("the gate's file changed and passes: %s", watch.passed.header)
                else:
                    log.error("the gate closed, no rewards are given: %s", watch.closed)
