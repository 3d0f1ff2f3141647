"""Whether a server is worth asking: it is given up after so many requests in a row that came to nothing."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from assay.endpoints.failure import Kind

# A server that is not there, or that wants none of it. What it answers to some questions says nothing of the others.
SILENT_OR_REFUSING: frozenset[Kind] = frozenset({"silent", "refused"})
ANY_FAULT: frozenset[Kind] = SILENT_OR_REFUSING | {"failed", "unreadable"}


class ServerHealth:
    """Counts over all requests of one scoring or run.

    give_up: how many in a row. counts: the kinds of failure that count; any other answer shows a server that is there,
    and begins the row anew. option: the name of `give_up` where a user sets it.
    """

    def __init__(self, give_up: int, counts: AbstractSet[Kind], *, option: str = "") -> None:
        self.most, self.counts, self.option = give_up, counts, option
        self.worked, self.in_a_row = False, 0
        self.given_up: str | None = None

    def good(self) -> None:
        self.worked, self.in_a_row = True, 0

    def bad(self, kind: Kind, reason: str) -> None:
        if kind not in self.counts:
            self.in_a_row = 0
            return
        self.in_a_row += 1
        if self.in_a_row >= self.most and self.given_up is None:
            failed = f"{self.in_a_row} requests in a row failed" if self.most > 1 else "a request failed"
            option = f" ({self.option})" if self.option else ""
            self.given_up = f"the server was given up when {failed}{option}; the last: {reason}"
