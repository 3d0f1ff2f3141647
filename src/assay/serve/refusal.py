"""Why a request is not answered with rewards: a status, one sentence, and when to come back. Repeats no text of it."""

from __future__ import annotations

from collections.abc import Sequence

NOT_RUN = "another row of its request has none"  # why a row was left alone, in answers without a place for reasons


class RefusedError(Exception):
    """A request that gets no rewards. status: of HTTP. retry_after: seconds, where another try may do better. methods:
    those that the path has, where this was another (405)."""

    def __init__(
        self, status: int, told: str, *, retry_after: float | None = None, methods: Sequence[str] = ()
    ) -> None:
        super().__init__(told)
        self.status, self.told, self.retry_after, self.methods = status, told, retry_after, tuple(methods)
