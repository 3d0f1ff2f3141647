"""Runs all work of a server on its database: one thread, one connection, in the order asked. Knows no page.

What waits together is committed together, and nobody is answered before that commit is durable: fifty editors who press
at once cost one disk flush, not fifty. Where a batch fails, each job is tried again on its own, so that one bad job
takes no other with it; a job may therefore run twice, and does nothing that its transaction cannot take back. So it is
where another server of the same study (PostgreSQL) wrote an editor's act first: done again, the job sees that act.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, event

from assay.study.store.database import (
    Database,
    ServerLock,
    StudyConflictError,
    StudyUnavailableError,
    open_database,
    share_on_postgres,
)
from assay.study.store.votes import Memo
from assay.study.study_address import is_url

T = TypeVar("T")
Job = Callable[[Connection], Any]
LONGEST_BATCH = 128
LONGEST_QUEUE = 2_000
MOST_CONFLICTS = 5


class CommitQueue:
    """`await queue.do(job)`: the job's result, after the commit of the transaction it ran in."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._lock = ServerLock(place)
        self._queue: queue.Queue[tuple[Job, Future[Any]] | None] = queue.Queue(maxsize=LONGEST_QUEUE)
        self._thread = threading.Thread(target=self._work, name="assay-study-commits", daemon=True)
        self._database: Database | None = None
        self.memo = Memo(alone=not is_url(place))  # for jobs; touched by the queue's thread only

    def open(self) -> None:
        """Take the study for this server. Raises StudyError where it is missing, newer, or served already."""
        self._lock.take()
        database = None
        try:
            database = open_database(self.place, hold="one")
            if is_url(self.place):
                # From now on every connection must hold its part of the lock; the one made for the version check goes.
                database.close()
                event.listen(database.engine, "engine_connect", self._hold_lock)
                with database.begin():
                    pass
        except BaseException:
            if database is not None:
                database.close()
            self._lock.release()
            raise
        self._database = database
        self._thread.start()

    def close(self) -> None:
        """Finish what was asked, then let the study go."""
        self._queue.put(None)
        self._thread.join()
        if self._database is not None:
            self._database.close()
        self._lock.release()

    async def do(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in a transaction. Raises what it raised, or StudyUnavailableError where nothing could be kept."""
        future: Future[T] = Future()
        try:
            self._queue.put_nowait((job, future))
        except queue.Full:
            raise StudyUnavailableError("The server has too much to do. Try again in a moment.") from None
        return await asyncio.wrap_future(future)

    def _hold_lock(self, connection: Connection) -> None:
        if connection.info.get("assay_lock") is None:
            try:
                with connection.begin():
                    share_on_postgres(connection, self.place)
            except BaseException:
                connection.invalidate()
                raise
            connection.info["assay_lock"] = True

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = [first], False
            while len(batch) < LONGEST_BATCH and not self._queue.empty():
                waiting = self._queue.get()
                if waiting is None:
                    last = True
                    break
                batch.append(waiting)
            self._together([(job, future) for job, future in batch if future.set_running_or_notify_cancel()])
            if last:
                return

    def _together(self, batch: Sequence[tuple[Job, Future[Any]]], *, conflicts: int = 0) -> None:
        if not batch or self._database is None:
            return
        try:
            with self._database.begin() as connection:
                results = [job(connection) for job, _ in batch]
        except Exception as error:
            self.memo.found.clear()  # it tells of acts that were never committed
            conflict = isinstance(error, StudyConflictError)
            if isinstance(error, StudyUnavailableError) and not conflict:
                # The database, not a job: trying each alone would only wait longer.
                for _, future in batch:
                    future.set_exception(error)
            elif len(batch) > 1:
                # All of it was taken back. Alone, each job tells whether it was the one that failed.
                for one in batch:
                    self._together([one])
            elif conflict and conflicts < MOST_CONFLICTS:
                self._together(batch, conflicts=conflicts + 1)
            else:
                batch[0][1].set_exception(error)
        # Only now, after the commit: what an editor is told is saved is on the disk.
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
