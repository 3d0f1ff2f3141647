"""Watches what a server answers, beside it: a bounded queue, one thread, and the watch of each model that was served.

1. The loop that answers counts a request's rows and leaves them in the queue; where there is no room they are counted
alone. 2. The model's thread leaves what the head read of some rows there. 3. Ten times a second, and before figures
are told, the thread takes all that waits: figures, rules, the snapshot. So what is told holds every request answered
before. Nothing here reaches a request: what goes wrong is counted and said once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

from assay.errors import InputError, first_line
from assay.serve.dialects.dialect import Parsed
from assay.serve.jobs import Answered
from assay.serve.prometheus_text import Labels
from assay.serve.row_engine import RowEngine
from assay.serve.watch.config import WatchConfig
from assay.serve.watch.known_answers import BATCHES, BatchStates, KnownShare
from assay.serve.watch.model_watch import ModelWatch, now
from assay.serve.watch.snapshot_file import SnapshotFile, SnapshotPlan, made
from assay.serve.watch.snapshot_groups import Line, snapshot_groups
from assay.serve.watch.watch_rules import Alarm
from assay.serve.watch.watched_rows import WatchedRows, watched

SECONDS = 0.1  # between two takes: so that the thread is woken ten times a second, and not by each request
CLOSED = 8  # models before this one whose figures are still told
log = logging.getLogger("assay.serve")
Groups = list[tuple[str | None, Line]]


class RewardWatcher:
    """The watch of the model that is served, and of those before it. Belongs to the event loop that answers."""

    def __init__(self, config: WatchConfig, snapshot: SnapshotPlan | None = None) -> None:
        self.config, self.snapshot = config, snapshot
        self.now: ModelWatch | None = None
        self.closed: deque[ModelWatch] = deque(maxlen=CLOSED)
        self.models = self.faults = 0
        self._sent = self._taken = self._dropped = 0  # rows, of all models
        self._by_engine: WeakKeyDictionary[RowEngine, ModelWatch] = WeakKeyDictionary()
        self._answers: deque[tuple[ModelWatch, WatchedRows, Groups]] = deque()
        self._states: deque[tuple[ModelWatch, BatchStates]] = deque()
        self._files: dict[ModelWatch, SnapshotFile] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-watch")

    def begin(self, engine: RowEngine, watch: ModelWatch) -> None:
        """From now on answers of `engine` are this watch's. Those of the one before still come to its own."""
        before, self.now = self.now, watch
        self._by_engine[engine] = watch
        self.models += 1
        if before is not None:
            before.until = now()
            self.closed.append(before)
        if self.snapshot is not None:
            self._thread.submit(self._open_file, watch, first=before is None)

    def answered(self, answered: Answered, parsed: Parsed) -> None:
        """Take a request that has its results. Never raises."""
        try:
            watch = self._by_engine.get(answered.engine)
            if watch is None:
                return
            rows = watched(answered.results, answered.families)
            groups: Groups = []
            waiting = self._sent - self._taken
            room = not waiting or waiting + rows.rows <= self.config.queue_rows  # one is always taken, however large
            if self.snapshot is not None:
                groups = snapshot_groups(parsed, answered.results, texts=self.snapshot.texts and room)
            if not room and watch in self._files:
                self._files[watch].skipped += len(groups)
            self._leave(watch, rows, groups, room=room)
        except Exception as error:
            self._fault(error)

    def failed(self, engine: RowEngine, rows: int) -> None:
        """A request whose rewards could not be computed. Never raises."""
        watch = self._by_engine.get(engine)
        if watch is not None:
            watch.outcomes["failed"] += rows

    def states(self, watch: ModelWatch, batch: BatchStates) -> bool:
        """Take what the head read, from the model's thread; False where there is no room for it."""
        if len(self._states) >= BATCHES:
            return False
        self._states.append((watch, batch))
        return True

    async def figures(self) -> dict[str, object]:
        """What `GET /v1/watch` tells, with all that was answered before."""
        self._cancel_soon()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._figures)

    async def close(self) -> None:
        """Take what waits, and end the snapshot."""
        self._cancel_soon()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown(wait=True)

    def _leave(self, watch: ModelWatch, rows: WatchedRows, groups: Groups, *, room: bool) -> None:
        watch.told(rows, room=room)
        if not room:
            self._dropped += rows.rows
            return
        self._sent += rows.rows
        self._answers.append((watch, rows, groups))
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SECONDS, self._take_now)

    def _take_now(self) -> None:
        self._soon = None
        self._thread.submit(self._take)

    def _cancel_soon(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    # What follows runs on the watch's own thread. `closed` is copied before a walk: a swap may add to it meanwhile.

    def _take(self) -> None:
        """All that waits, in its order."""
        try:
            by_watch: dict[ModelWatch, tuple[list[WatchedRows], Groups]] = {}
            while self._answers:
                watch, rows, groups = self._answers.popleft()
                several, lines = by_watch.setdefault(watch, ([], []))
                several.append(rows)
                lines.extend(groups)
            for watch, (several, lines) in by_watch.items():
                self._take_of(watch, several)
                if lines and watch in self._files:
                    self._files[watch].write(lines)
            while self._states:
                watch, batch = self._states.popleft()
                self._say(watch, watch.measure(batch))
        except Exception as error:
            self._fault(error)

    def _take_of(self, watch: ModelWatch, requests: list[WatchedRows]) -> None:
        rows = sum(one.rows for one in requests)
        try:
            self._say(watch, watch.take(requests))
        except Exception as error:
            watch.lost += rows
            self._fault(error)
        finally:
            watch.taken += rows
            self._taken += rows

    def _say(self, watch: ModelWatch, alarms: list[Alarm]) -> None:
        """A line for each rule that went off; what is over its limit all day fills no log."""
        for one in alarms:
            rule = watch.rules[one.rule]
            if not rule.to_be_said():
                continue
            log.warning(
                "watch: %s: %s (%s; false alarms: %.2g for as long as it is served)", one.rule, one.told,
                watch.of.fingerprint, rule.chance,
            )  # fmt: skip

    def _figures(self) -> dict[str, object]:
        self._take()
        return {
            "object": "watch",
            "now": None if self.now is None else self._told(self.now),
            "closed": [self._told(one) for one in reversed(tuple(self.closed))],
            "models": self.models,
            "faults": self.faults,
        }

    def _told(self, watch: ModelWatch) -> dict[str, object]:
        file = self._files.get(watch)
        return {**watch.figures(), "snapshot": None if file is None else file.body.model_dump(mode="json")}

    def _open_file(self, watch: ModelWatch, *, first: bool) -> None:
        plan = self.snapshot
        assert plan is not None
        try:
            path = plan.path if first else plan.next_path()
            if not first:
                made(path)
            for one in self._files.values():
                one.tell(ended=True)
            # Those of models long gone are let go of, names and all.
            self._files = {one: self._files[one] for one in tuple(self.closed) if one in self._files}
            file = SnapshotFile(
                path, model=watch.of.name, fingerprint=watch.of.fingerprint, texts=plan.texts,
                most=self.config.snapshot_groups,
            )  # fmt: skip
            file.tell()
            self._files[watch] = file
        except (InputError, OSError) as error:
            self.faults += 1
            log.error("watch: no snapshot of %s: %s", watch.of.fingerprint, first_line(error))  # noqa: TRY400
        except Exception as error:
            self._fault(error)

    def _end(self) -> None:
        self._take()
        try:
            for one in self._files.values():
                one.tell(ended=True)
        except Exception as error:
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self.faults += 1
        if self.faults == 1:
            # Its kind alone: its words may be of what was sent.
            said = "requests are answered as before, and figures lack some of them"
            log.error("watch: it went wrong (%s); %s", type(error).__name__, said)

    # What metrics read, at any time and from any thread: single numbers only.

    def alarm_counts(self) -> Mapping[Labels, float]:
        return {} if self.now is None else {(("rule", n),): float(rule.gone_off) for n, rule in self.now.rules.items()}

    def evidence(self) -> Mapping[Labels, float]:
        return {} if self.now is None else {(("rule", name),): rule.evidence for name, rule in self.now.rules.items()}

    def dropped(self) -> Mapping[Labels, float]:
        return {(): float(self._dropped)}

    def outside(self) -> Mapping[Labels, float]:
        known = None if self.now is None else self.now.of.known
        share = known.outside_share if isinstance(known, KnownShare) else None
        return {} if share is None else {(): share}

    def means(self) -> Mapping[Labels, float]:
        watch = self.now
        if watch is None or not watch.rewards.count:
            return {}
        recent = watch.rewards.recent
        return {(("of", "all"),): watch.rewards.mean, (("of", "recent"),): float(recent.mean())}
