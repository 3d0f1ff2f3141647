"""Requests to one server: time limit, tries with back-off, a pause that all share, a budget, and giving up.

A call ends as the JSON of an answer or as a Failure with its reason; nothing is raised for what a server does, except
ImpossibleError, where no request can ever succeed. Knows HTTP; knows not what a body means.

httpx2 is what huggingface_hub, and so transformers, already brings. Each worker has a client, and so a connection, of
its own: a client's pool looks at all its connections before each request, which at 64 costs 5 ms a request, not 1.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from assay.scorers.remote.budget import Budget
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.token_from_environment import Credential

if TYPE_CHECKING:
    import httpx2

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # another try may succeed
THIS_ROW = frozenset({400, 413, 422, 424})  # the server refuses what was sent, and may take other rows
NEVER = frozenset({401, 403, 404, 405})
MOST_BYTES = 64 * 2**20  # of one answer: nothing that holds rewards is larger
WAITS = 30.0  # seconds: the longest back-off that is not the server's own wish


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without an answer, and why.

    refused: the server did not want what was sent. spent: the budget is. no_json: it answered, with something else.
    """

    reason: str
    refused: bool = False
    spent: bool = False
    no_json: bool = False


class ImpossibleError(Exception):
    """No request to this server can succeed. status: its answer."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class AgainError(Exception):
    """This try failed, another may not. wait: seconds the server asked for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Calls:
    """All calls of one scoring to one server. url: of the server, to which paths are added."""

    def __init__(self, url: str, config: RemoteConfig, budget: Budget, credential: Credential) -> None:
        self.url, self.config, self.budget, self.credential = url, config, budget, credential
        self.paused_until = 0.0  # by the event loop's clock: a 429 is meant for all that is under way
        self.jitter = random.Random()  # spreads tries over time; no reward depends on it

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Read from disk once, not once a connection."""
        return ssl.create_default_context()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A client for one worker: a request at a time, over a line that stays open. Follows no redirect."""
        import httpx2

        headers = {"User-Agent": "assay", **self.credential.headers}
        # The limit of a try is set around it as a whole: httpx's own hold for each read, so a slow drip never ends.
        async with httpx2.AsyncClient(headers=headers, verify=self.context, timeout=None) as client:
            yield client

    async def call(
        self, client: httpx2.AsyncClient, method: str, path: str, body: object = None, *, tokens: int = 0
    ) -> object | Failure:
        """The JSON of the answer, or why there is none, after all tries. Raises ImpossibleError."""
        content = None if body is None else json.dumps(body).encode()
        last = ""
        for attempt in range(self.config.retries + 1):
            await self._until_not_paused()
            if spent := self.budget.spent():
                return Failure(spent, spent=True)
            self.budget.take(tokens)
            try:
                return await self._try(client, method, path, content)
            except AgainError as error:
                last = str(error)
                if attempt == self.config.retries:
                    break
                if error.wait is not None and error.wait > self.config.longest_wait:
                    longest = f"{self.config.longest_wait:g} s (remote.longest_wait)"
                    return Failure(f"{last}, and asks to wait {error.wait:g} s; the longest wait is {longest}")
                await self._wait(attempt, error.wait)
        tries = self.config.retries + 1
        return Failure(last + (f", after {tries} tries" if tries > 1 else ""))

    async def _try(self, client: httpx2.AsyncClient, method: str, path: str, content: bytes | None) -> object | Failure:
        import httpx2

        limit = self.budget.left(self.config.timeout)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(limit),
                client.stream(method, self.url + path, content=content, headers=headers) as response,
            ):
                raw = b""
                async for part in response.aiter_bytes():
                    raw += part
                    if len(raw) > MOST_BYTES:
                        return Failure(f"the server's answer is larger than {MOST_BYTES:,} bytes")
                return self._read(response, raw)
        except TimeoutError:
            raise AgainError(f"the server gave no answer in {limit:.3g} s") from None
        except (httpx2.TransportError, httpx2.StreamError, httpx2.DecodingError, OSError) as error:
            told = self.credential.hidden(str(error)) or type(error).__name__
            raise AgainError(f"the line to the server broke: {told}") from None

    def _read(self, response: httpx2.Response, raw: bytes) -> object | Failure:
        """The JSON of a whole answer. Raises AgainError or ImpossibleError."""
        status = response.status_code
        if status == 200:
            try:
                found: object = json.loads(raw)  # and not orjson: NaN is to be told as NaN, not as broken JSON
            except ValueError:
                return Failure(f"the server answered with {kind_of_text(raw)}, where JSON was expected", no_json=True)
            return found
        told = f"the server answered {status}" + self._said(raw)
        if status in AGAIN:
            raise AgainError(told, retry_after(response.headers.get("Retry-After")))
        if status in NEVER or 300 <= status < 400:
            raise ImpossibleError(told, status)
        return Failure(told, refused=status in THIS_ROW)

    def _said(self, raw: bytes) -> str:
        """What a server says of its error, in one line, without the token."""
        try:
            found = json.loads(raw)
        except ValueError:
            return f" with {kind_of_text(raw)}" if raw.strip() else ""
        for key in ("error", "message", "detail"):
            while isinstance(found, dict) and key in found:
                found = found[key]
        words = " ".join(str(found or "").split())
        if not words:
            return ""
        shortened = words if len(words) <= 200 else words[:197] + "..."
        return f": {self.credential.hidden(shortened)}"

    async def _wait(self, attempt: int, asked: float | None) -> None:
        """Before the next try: as long as the server asks, or doubled each time; with jitter, so tries do not meet."""
        clock = asyncio.get_running_loop().time
        if asked is not None:
            self.paused_until = max(self.paused_until, clock() + asked)
        longest = min(self.config.backoff * 2**attempt, WAITS, self.config.longest_wait)
        await asyncio.sleep((asked or 0.0) + longest * self.jitter.uniform(0.5, 1.0))

    async def _until_not_paused(self) -> None:
        clock = asyncio.get_running_loop().time
        while (left := self.paused_until - clock()) > 0:
            await asyncio.sleep(left)


def retry_after(text: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date (RFC 9110, 10.2.3); None if it says neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now())
    except (TypeError, ValueError):
        return None


def kind_of_text(raw: bytes) -> str:
    """What an answer that is no JSON looks like."""
    start = raw.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")) else "something else than JSON"
