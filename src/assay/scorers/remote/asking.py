"""Rows -> results, by requests to one route: what a server answers is read, what it refuses is told apart, row by row.

A batch that is refused is asked again row by row, so that one row too long costs no other. An answer that cannot be
read leaves its rows Unscored and is not asked for again: a server that miscounts is not to be trusted a second time.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.endpoints.budget import Budget
from assay.endpoints.calls import Line, Request
from assay.endpoints.failure import Failure
from assay.scorers.protocol import Scored, Unscored, scored
from assay.scorers.remote.formats import Format, Label, Sent, tokens_told


class Asking:
    """Asks one route for rewards. model: its name in requests. label: which output is the reward."""

    def __init__(self, form: Format, *, model: str | None, label: Label, budget: Budget) -> None:
        self.form, self.model, self.label, self.budget = form, model, label, budget

    async def ask(self, line: Line, rows: Sequence[Sent], *, activated: bool = False) -> list[Scored]:
        """The result of each row. activated: what an activation makes of the rewards. Raises ImpossibleError."""
        known = sum(row.tokens or 0 for row in rows)

        def rewards(answer: object) -> list[float]:
            if not known:
                self.budget.tokens_sent += tokens_told(answer) or 0
            return self.form.rewards(answer, len(rows), self.label)

        body = self.form.body(rows, self.model, activated)
        told = await line.ask(Request(path=self.form.path, read=rewards, body=body, tokens=known))
        if not isinstance(told, Failure):
            return [scored(reward) for reward in told]
        if told.kind == "this row" and len(rows) > 1:
            return [(await self.ask(line, [row], activated=activated))[0] for row in rows]
        return [Unscored(told.reason) for _ in rows]
