"""Sessions, all of them: link to cookie, cookie to guest, form tokens, limits on who comes too often. Knows no vote.

A handler asks for its form (`form`), and runs its work as the guest of a session (`do`): who has no session, or whose
link has ended meanwhile, gets a page that says so, and the work is never begun.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from assay.study.server.commit_queue import CommitQueue
from assay.study.server.web import PageError, read_form
from assay.study.store import links
from assay.study.store.links import DAY, Guest, Role, csrf_token, hash_token

T = TypeVar("T")
FAILURES_BURST, FAILURES_RATE = 20, 0.5  # unknown links and cookies, per address
REQUESTS_BURST, REQUESTS_RATE = 120, 40.0  # per session; a person needs two a judgement
SLOW_DOWN = PageError(429, "Too fast", "Too many requests. Wait a few seconds, then reload; nothing is lost.")


class Limiter:
    """A bucket of `burst` requests per key, refilled with `rate` a second; the oldest keys are forgotten."""

    def __init__(self, *, rate: float, burst: int, keys: int = 10_000, clock: Callable[[], float] = time.monotonic):
        self.rate, self.burst, self.keys, self.clock = rate, burst, keys, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Take one from the key's bucket; False where it is empty."""
        now = self.clock()
        left, since = self._buckets.pop(key, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.rate)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        while len(self._buckets) > self.keys:
            self._buckets.popitem(last=False)
        return allowed


class Sessions:
    """Who is there, as far as cookies and links tell, and whether they come too often."""

    def __init__(self, queue: CommitQueue, *, study_id: str, secure: bool, days: float) -> None:
        self.queue = queue
        self.secure = secure
        self.days = days
        prefix = "__Host-" if secure else ""
        # The study's id keeps two studies on one machine apart: cookies do not know ports.
        self.names: Mapping[Role, str] = {
            "editor": f"{prefix}assay_judge_{study_id}",
            "owner": f"{prefix}assay_owner_{study_id}",
        }
        self._failures = Limiter(rate=FAILURES_RATE, burst=FAILURES_BURST)
        self._requests = Limiter(rate=REQUESTS_RATE, burst=REQUESTS_BURST)

    def token(self, request: Request, role: Role) -> str:
        """The session token of the cookie. Raises PageError where there is none, or it comes too often."""
        token = request.cookies.get(self.names[role], "")
        if not token:
            raise self._stranger(request)
        # By its hash: tokens themselves are kept nowhere, not even in the limiter's memory.
        if not self._requests.allows(hash_token(token)):
            raise SLOW_DOWN
        return token

    async def form(self, request: Request, role: Role) -> tuple[str, dict[str, str]]:
        """Session token and fields of a form that came from our own page. Raises PageError where it did not."""
        token = self.token(request, role)
        form = await read_form(request)
        # In constant time: how far a guess was right must not show in how long the answer takes.
        if not hmac.compare_digest(csrf_token(token).encode(), form.get("csrf", "").encode()):
            raise PageError(
                403, "This form is out of date", "Open the page again and press once more; nothing was saved."
            )
        return token, form

    async def do(self, request: Request, token: str, role: Role, job: Callable[[Connection, Guest], T]) -> T:
        """Run `job` in a transaction as the session's guest. Raises PageError where the session is over."""

        def as_guest(connection: Connection) -> tuple[T] | None:
            # In the same transaction: a link revoked a moment before gives no vote a moment after.
            guest = links.who(connection, token, role=role, at=time.time())
            return None if guest is None else (job(connection, guest),)

        found = await self.queue.do(as_guest)
        if found is None:
            raise self._stranger(request)
        return found[0]

    async def guest_of_link(self, request: Request, token: str) -> Guest:
        """Whose link this is. Raises PageError where it opens nothing, or nothing any more."""
        state, guest = await self.queue.do(lambda connection: links.open_link(connection, token, at=time.time()))
        if state == "active" and guest is not None:
            return guest
        self._count_failure(request)
        if state == "none":
            raise PageError(404, "This link opens nothing", "Check that it was copied whole, or ask for a new one.")
        raise PageError(410, f"This link is {state}", "Ask the study's owner for a new one. Judgements are all kept.")

    async def begin(self, guest: Guest, response: Response) -> None:
        """Open a session for the guest of a link, and put its token into the response's cookie."""
        token = await self.queue.do(lambda connection: links.begin_session(connection, guest, at=time.time()))
        response.set_cookie(
            self.names[guest.role],
            token,
            max_age=int(self.days * DAY),
            httponly=True,
            samesite="strict",
            secure=self.secure,
            path="/",
        )

    def _stranger(self, request: Request) -> PageError:
        """What someone without a session gets."""
        self._count_failure(request)
        return PageError(
            401,
            "Please open your personal link",
            "This browser has no open session here, or the link it came from has ended. All judgements confirmed so "
            "far are kept: open your link again and go on where you stopped.",
        )

    def _count_failure(self, request: Request) -> None:
        if not self._failures.allows(request.client.host if request.client else "unknown"):
            raise SLOW_DOWN
