"""Requests to one server: time limit, tries with back-off, a pause that all share, a budget, and giving up.

A request ends as what was read of its answer or as a Failure with its reason; nothing is raised for what a server does,
except ImpossibleError, where no request can ever succeed. Knows HTTP; knows not what a body means: how a request is
made and its answer read is said by a Request.

httpx2 is what huggingface_hub, and so transformers, already brings. Each worker has a client, and so a connection, of
its own: a client's pool looks at all its connections before each request, which at 64 costs 5 ms a request, not 1.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from assay.endpoints.answer_bodies import json_of, no_json, said_of_error
from assay.endpoints.as_they_come import as_they_come
from assay.endpoints.budget import Budget
from assay.endpoints.credential import Credential
from assay.endpoints.failure import AnswerError, Failure, ImpossibleError, Kind
from assay.endpoints.retry_after import backoff, retry_after
from assay.endpoints.server_health import ServerHealth

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # another try may succeed; 529: overloaded
THIS_ROW = frozenset({400, 413, 422, 424})  # the server refuses what was sent, and may take other rows
NEVER = frozenset({401, 403, 404, 405})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """concurrency: requests at once. seconds: for one try as a whole, from connecting to the last byte.

    retries: tries after the first. backoff: seconds before the second. longest_wait: seconds; a server that asks for
    more is not asked again: to come back earlier would only prolong what it imposed, and to sleep for an hour looks
    like a hang. most_bytes: of one answer. option: what stands before the limits' names where a user sets them.
    """

    concurrency: int = 16
    seconds: float = 120.0
    retries: int = 4
    backoff: float = 0.5
    longest_wait: float = 120.0
    most_bytes: int = 8 * 2**20
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """One request. path: added to the server's address. body: as JSON; None: there is none. tokens: known beforehand.

    read: JSON of the answer -> what was asked for; raises AnswerError where it holds something else.
    """

    path: str
    read: Callable[[object], T]
    body: object = None
    method: str = "POST"
    tokens: int = 0


class TriedError(Exception):
    """This try failed. again: whether another may not; wait: seconds the server asked for before it."""

    def __init__(self, reason: str, kind: Kind, *, again: bool = False, wait: float | None = None) -> None:
        super().__init__(reason)
        self.kind, self.again, self.wait = kind, again, wait


class Calls:
    """All requests of one scoring, or one run, to one server. url: of the server, to which paths are added."""

    def __init__(
        self,
        url: str,
        limits: CallLimits,
        *,
        credential: Credential,
        health: ServerHealth,
        budget: Budget | None = None,
    ) -> None:
        self.url, self.limits, self.credential, self.health = url, limits, credential, health
        self.budget = Budget() if budget is None else budget
        self.jitter = random.Random()  # spreads tries over time; no result depends on it
        self._paused_until, self._paused_by = 0.0, ""  # by the loop's clock: a 429 is meant for all that is under way
        self._impossible: ImpossibleError | None = None

    def each(
        self, items: Sequence[Item], ask: Callable[[Line, Item], Awaitable[Result]]
    ) -> AbstractContextManager[Iterator[tuple[int, Result]]]:
        """What `ask` gives for each item, with the item's place, as soon as it is there; several at once.

        Raises ImpossibleError after what was under way, whose results come first.
        """

        async def all_of_them(give: Callable[[tuple[int, Result]], None]) -> None:
            waiting = iter(enumerate(items))

            async def worker() -> None:
                async with self._line() as line:
                    for place, item in waiting:  # one iterator for all workers: each takes the next that nobody has
                        try:
                            give((place, await ask(line, item)))
                        except ImpossibleError as error:
                            self._impossible = self._impossible or error
                            self._over.set()  # whoever waits for a next try has nothing to wait for
                        if self._impossible is not None:
                            return

            self._over = asyncio.Event()  # of this loop
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.limits.concurrency, len(items))):
                        group.create_task(worker())
            except BaseExceptionGroup as several:  # the first says it; the others were under way
                raise several.exceptions[0] from None
            if self._impossible is not None:
                raise self._impossible

        return as_they_come(all_of_them)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        import httpx2

        # The limit of a try is set around it as a whole: httpx's own hold for each read, so a slow drip never ends.
        # A redirect is never followed: it would take the credential to another host, and make a GET of a POST.
        async with httpx2.AsyncClient(
            headers={"User-Agent": "assay", **self.credential.headers},
            verify=tls_context(),
            timeout=None,
            follow_redirects=False,
        ) as client:
            yield Line(self, client)

    def unsent(self) -> str | None:
        """Why nothing more may be sent, None while something may."""
        if self._impossible is not None:
            return f"it was not asked: {self._impossible}"
        return self.health.given_up or self.budget.spent()

    async def until_not_paused(self) -> str | None:
        """Waits while the server asks for it; at once why not, where it asks for longer than is granted."""
        while (left := self._paused_until - _clock()) > 0:
            if left > self.limits.longest_wait:
                return self._paused_by
            # Spread, so that all who wait here do not come back in the same moment.
            await self._rest(left + self.jitter.uniform(0.0, self.limits.backoff))
            if self._impossible is not None:
                return None
        return None

    def pause(self, seconds: float, reason: str) -> None:
        """For all requests: what a server asks one of them is meant for whoever asks."""
        longest = f"{self.limits.longest_wait:g} s"
        if self.limits.option:
            longest += f" ({self.limits.option}longest_wait)"
        if _clock() + seconds > self._paused_until:
            self._paused_until = _clock() + seconds
            self._paused_by = f"{reason}, and asks to wait {seconds:g} s; the longest wait is {longest}"

    async def before_next_try(self, attempt: int) -> None:
        """The back-off; what a server asks for beside it, the next try itself waits out."""
        await self._rest(min(backoff(self.limits.backoff, attempt, self.jitter), self.limits.longest_wait))

    async def _rest(self, seconds: float) -> None:
        """Ends early where nothing can succeed any more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)


class Line:
    """One worker's client: a request at a time, over a line that stays open."""

    def __init__(self, calls: Calls, client: httpx2.AsyncClient) -> None:
        self.calls, self.client = calls, client

    async def ask(self, request: Request[T]) -> T | Failure:
        """What was read of the answer, or why there is none, after all tries. Raises ImpossibleError."""
        calls, most = self.calls, self.calls.limits.retries
        content = None if request.body is None else json.dumps(request.body).encode()
        for attempt in range(most + 1):
            if why := (await calls.until_not_paused()) or calls.unsent():
                return Failure(why, "unsent")
            calls.budget.take(request.tokens)
            try:
                found = await self._try(request, content)
            except TriedError as error:
                reason = calls.credential.hidden(str(error))
                if error.wait is not None:
                    calls.pause(error.wait, reason)
                if error.again and attempt < most:
                    await calls.before_next_try(attempt)
                    continue
                if error.again and most:
                    reason += f", after {most + 1} tries"
                calls.health.bad(error.kind, reason)
                return Failure(reason, error.kind)
            calls.health.good()
            return found
        raise AssertionError("the last try returns")

    async def _try(self, request: Request[T], content: bytes | None) -> T:
        """Raises TriedError and ImpossibleError."""
        import httpx2

        calls = self.calls
        limit = calls.budget.left(calls.limits.seconds)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(limit),
                self.client.stream(
                    request.method, calls.url + request.path, content=content, headers=headers
                ) as response,
            ):
                raw = await self._body(response)
        except TimeoutError:
            raise TriedError(f"the server gave no answer in {limit:.3g} s", "silent", again=True) from None
        except (httpx2.TransportError, httpx2.StreamError, httpx2.DecodingError, OSError) as error:
            told = str(error) or type(error).__name__
            raise TriedError(f"the line to the server broke: {told}", "silent", again=True) from None
        except httpx2.InvalidURL as error:
            raise ImpossibleError(f"the address cannot be asked: {error}") from None
        return self._read(request, response, raw)

    async def _body(self, response: httpx2.Response) -> bytes:
        most, parts, size = self.calls.limits.most_bytes, [], 0
        async for part in response.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > most:
                raise TriedError(f"the server's answer is larger than {most >> 20} MiB", "failed")
        return b"".join(parts)

    def _read(self, request: Request[T], response: httpx2.Response, raw: bytes) -> T:
        """What was asked for, of a whole answer."""
        status, credential = response.status_code, self.calls.credential
        raw = credential.hidden_in(raw, answer=status == 200)
        if status == 200:
            try:
                found = json_of(raw)
            except ValueError:
                raise TriedError(f"the server answered with {no_json(raw)}", "unreadable") from None
            try:
                return request.read(found)
            except AnswerError as error:
                raise TriedError(f"of the server's answer: {error}", "unreadable") from None
        said = said_of_error(raw)
        told = f"the server answered {status}{said}"
        if status in AGAIN:
            raise TriedError(told, "failed", again=True, wait=retry_after(response.headers.get("Retry-After")))
        if status in NEVER or 300 <= status < 400:
            # A key that is not taken is so for every row. What else is refused after it worked may be these rows' own
            # fault (a gateway that forbids words), and what was had stays.
            if status == 401 or not self.calls.health.worked:
                raise ImpossibleError(told, status, said)
            raise TriedError(told, "refused")
        raise TriedError(told, "this row" if status in THIS_ROW else "failed")


@cache
def tls_context() -> ssl.SSLContext:
    """Read from disk once, not once a connection."""
    return ssl.create_default_context()


def _clock() -> float:
    return asyncio.get_running_loop().time()
