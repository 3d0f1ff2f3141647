"""How much may still be asked of a server: requests, tokens, seconds. Knows no HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Budget:
    """Counts what was asked for; None: without limit. Requests under way when it is spent are still waited for.

    option: what stands before the limits' names where a user sets them, such as `remote.`. shared: of several who ask,
    which each request of this one is taken from as well.
    """

    requests: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    option: str = ""
    sent: int = 0
    tokens_sent: int = 0
    started: float | None = None
    shared: Budget | None = None

    def spent(self) -> str | None:
        """Why nothing more may be sent, None while something may."""
        if self.requests is not None and self.sent >= self.requests:
            return f"the budget of {self.requests:,} requests is spent ({self.option}max_requests)"
        if self.tokens is not None and self.tokens_sent >= self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent ({self.option}max_tokens)"
        if self.seconds is not None and self.started is not None and self._past() >= self.seconds:
            return f"the budget of {self.seconds:g} seconds is spent ({self.option}max_seconds)"
        return None if self.shared is None else self.shared.spent()

    def take(self, tokens: int) -> None:
        """One request of that many tokens goes out (0: not known before the answer)."""
        self.started = time.monotonic() if self.started is None else self.started
        self.sent += 1
        self.tokens_sent += tokens
        if self.shared is not None:
            self.shared.take(tokens)

    def left(self, most: float) -> float:
        """Seconds a request may take: `most`, or what is left if that is less."""
        if self.seconds is None or self.started is None:
            return most
        return max(0.001, min(most, self.seconds - self._past()))

    def _past(self) -> float:
        assert self.started is not None
        return time.monotonic() - self.started
