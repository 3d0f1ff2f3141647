"""Requests to an OpenAI-compatible server: time limit, tries with back-off, and no more of them to one that is silent.

A request ends as a JSON object or as a reason. The key comes from the environment, goes into one header, and into no
message. Knows HTTP; knows not what a body means.
"""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from assay.errors import ConfigError, InputError

if TYPE_CHECKING:
    import httpx2

KEY_NAMES = ("ASSAY_ENDPOINT_TOKEN", "ASSAY_REMOTE_TOKEN")  # variables of the environment, looked at first first
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between tries: doubled each time, up to the longest
MOST_BYTES = 8 * 2**20  # of one answer
IN_A_ROW = 8  # requests that got no answer at all, one after the other, before the rest is not sent
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # what may be otherwise at the next try
REFUSED = frozenset({401, 403, 404, 405})  # what is so for every request


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without a result, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """concurrency: requests at once. seconds: for one try as a whole. retries: after the first try."""

    concurrency: int = 16
    seconds: float = 120.0
    retries: int = 4


class _TriedError(Exception):
    def __init__(self, why: str, *, again: bool, wait: float | None = None, answered: bool = True) -> None:
        super().__init__(why)
        self.again, self.wait, self.answered = again, wait, answered


class ChatRequests:
    """All requests of one run to `address`. Raises ConfigError for a key that no header can hold."""

    def __init__(self, address: str, limits: Limits) -> None:
        self.address, self.limits = address, limits
        self.refused: str | None = None  # why no request can succeed
        self._key = _key()
        self._silent = 0
        self._lock = threading.Lock()

    def client(self) -> httpx2.Client:
        import httpx2

        return httpx2.Client(
            headers={"User-Agent": "assay"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            timeout=httpx2.Timeout(self.limits.seconds),
            limits=httpx2.Limits(max_connections=self.limits.concurrency),
        )

    def send(self, client: httpx2.Client, body: dict[str, object]) -> dict[str, object] | Failed:
        """The JSON object that answers `body`, or why there is none, after all tries."""
        for left in reversed(range(self.limits.retries + 1)):
            if self.refused is not None or self._silent >= IN_A_ROW:
                why = self.refused or f"it answered none of the {IN_A_ROW} requests before"
                return Failed(f"{self.address} was not asked: {why}")
            try:
                found = self._tried(client, body)
            except _TriedError as error:
                if error.again and left:
                    time.sleep(_pause(self.limits.retries - left, error.wait))
                    continue
                self._seen(error.answered)
                return Failed(self._without_key(f"{self.address} {error}"))
            self._seen(True)
            return found
        raise AssertionError("the last try returns")

    def raise_refused(self) -> None:
        """Raises InputError where the server refuses the key or the model."""
        if self.refused is not None:
            raise InputError(f"{self.address} {self.refused}. Put the address, the model and ${KEY_NAMES[0]} right.")

    def _seen(self, answered: bool) -> None:
        with self._lock:
            self._silent = 0 if answered else self._silent + 1

    def _tried(self, client: httpx2.Client, body: dict[str, object]) -> dict[str, object]:
        import httpx2

        try:
            status, headers, content = self._sent(client, body)
        except httpx2.TimeoutException:
            raise _TriedError(f"gave no answer within {self.limits.seconds:g} s", again=True, answered=False) from None
        except httpx2.HTTPError as error:
            told = str(error) or type(error).__name__
            raise _TriedError(f"could not be asked: {told}", again=True, answered=False) from None
        if status in REFUSED:
            self.refused = self._without_key(f"refuses: {status} {_excerpt(content)}")
            raise _TriedError(f"answered {status}", again=False)
        if status != 200:
            wait = _asked_wait(headers)
            raise _TriedError(f"answered {status} {_excerpt(content)}", again=status in PASSING, wait=wait)
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise _TriedError(f"answered what is no JSON: {_excerpt(content)}", again=False) from None
        if not isinstance(found, dict):
            raise _TriedError(f"answered no JSON object: {_excerpt(content)}", again=False)
        return found

    def _sent(self, client: httpx2.Client, body: dict[str, object]) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and content, in `seconds` as a whole: a server that drips bytes would never time out."""
        import httpx2

        end = time.monotonic() + self.limits.seconds
        headers = {"Content-Type": "application/json"}
        with client.stream("POST", self.address, content=orjson.dumps(body), headers=headers) as response:
            content = b""
            for part in response.iter_bytes():
                content += part
                if time.monotonic() > end:
                    raise httpx2.ReadTimeout("dripped")
                if len(content) > MOST_BYTES:
                    raise _TriedError(f"answered with over {MOST_BYTES >> 20} MiB", again=False)
            return response.status_code, response.headers, content

    def _without_key(self, text: str) -> str:
        """A server may repeat the key that it was sent."""
        return text.replace(self._key, "(key)") if self._key else text


def _key() -> str | None:
    for name in KEY_NAMES:
        found = os.environ.get(name, "").strip()
        if found:
            if not (found.isascii() and found.isprintable()) or " " in found:
                raise ConfigError(f"{name}: holds characters that no token has (blanks, controls, not ASCII).")
            return found
    return None


def _excerpt(content: bytes) -> str:
    words = " ".join(content[:1000].decode("utf-8", "replace").split())
    return words if len(words) <= 200 else words[:197] + "..."


def _asked_wait(headers: httpx2.Headers) -> float | None:
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _pause(tries: int, asked: float | None) -> float:
    """Seconds before the next try: as the server asks, else doubled each time; spread, so that tries do not meet."""
    wait: float = min(FIRST_WAIT * 2**tries * random.uniform(0.75, 1.25), LONGEST_WAIT)
    return wait if asked is None else min(max(asked, wait), LONGEST_WAIT)
