"""Rows -> results, by calls to one route: what a server answers is read, what it refuses is told apart, row by row.

A batch that is refused is asked again row by row, so that one row too long costs no other. An answer that cannot be
read leaves its rows Unscored and is not asked for again: a server that miscounts is not to be trusted a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from assay.scorers.protocol import Scored, Unscored, scored
from assay.scorers.remote.calls import Calls, Failure, ImpossibleError
from assay.scorers.remote.formats import AnswerError, Format, Label, Sent, tokens_told

if TYPE_CHECKING:
    import httpx2


class Health:
    """Whether a server is worth asking: it is given up after so many failed requests in a row."""

    def __init__(self, give_up: int) -> None:
        self.most, self.worked, self.in_a_row = give_up, False, 0
        self.given_up: str | None = None

    def good(self) -> None:
        self.worked, self.in_a_row = True, 0

    def bad(self, reason: str) -> None:
        self.in_a_row += 1
        if self.in_a_row >= self.most and self.given_up is None:
            failed = f"{self.in_a_row} requests in a row failed" if self.most > 1 else "a request failed"
            self.given_up = f"the server was given up when {failed} (remote.give_up); the last: {reason}"


class Asking:
    """Asks one route for rewards. model: its name in requests. label: which output is the reward."""

    def __init__(self, calls: Calls, form: Format, *, model: str | None, label: Label, health: Health) -> None:
        self.calls, self.form, self.model, self.label, self.health = calls, form, model, label, health

    async def all(self, batches: Iterable[Sequence[Sent]], workers: int, keep: Callable[[Sent, Scored], None]) -> None:
        """Every batch, so many at once; `keep` gets each result as soon as it is there. Raises ImpossibleError."""
        waiting = iter(batches)

        async def worker() -> None:
            async with self.calls.connection() as client:
                for batch in waiting:  # one iterator for all workers: each takes the next that nobody has
                    for row, result in zip(batch, await self.ask(client, batch), strict=True):
                        keep(row, result)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(worker())
        except BaseExceptionGroup as several:  # the first says it; the others were under way
            raise several.exceptions[0] from None

    async def ask(self, client: httpx2.AsyncClient, rows: Sequence[Sent], *, activated: bool = False) -> list[Scored]:
        """The result of each row. activated: what an activation makes of the rewards. Raises ImpossibleError."""
        if self.health.given_up:
            return [Unscored(self.health.given_up) for _ in rows]
        body, known = self.form.body(rows, self.model, activated), sum(row.tokens or 0 for row in rows)
        try:
            told = await self.calls.call(client, "POST", self.form.path, body, tokens=known)
        except ImpossibleError as error:
            if not self.health.worked:
                raise
            told = Failure(str(error))  # it answered before: what is had stays, and this is a fault of these rows
        if not isinstance(told, Failure):
            return self._read(told, rows, known)
        if told.refused and len(rows) > 1:
            return [(await self.ask(client, [row], activated=activated))[0] for row in rows]
        if not told.refused and not told.spent:
            self.health.bad(told.reason)
        return [Unscored(told.reason) for _ in rows]

    def _read(self, told: object, rows: Sequence[Sent], known: int) -> list[Scored]:
        if not known:
            self.calls.budget.tokens_sent += tokens_told(told) or 0
        try:
            rewards = self.form.rewards(told, len(rows), self.label)
        except AnswerError as error:
            reason = self.calls.credential.hidden(f"of the server's answer: {error}")
            self.health.bad(reason)
            return [Unscored(reason) for _ in rows]
        self.health.good()
        return [scored(reward) for reward in rewards]
