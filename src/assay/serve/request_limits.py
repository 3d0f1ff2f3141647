"""What stands before every request: who may ask, from where, how much and how slowly. Knows HTTP; knows no reward.

A token is compared in constant time and before a body is read. Without one (on loopback) a web page must not be able
to ask: pages are told by their Origin, by a Host that is another's name, and by bodies that are not JSON. Every answer,
also a refusal, has the same headers. Nothing of a request reaches a log or an error.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.artifacts.files import dumps
from assay.serve.refusal import RefusedError

OPEN_PATHS = frozenset({"/health", "/ready"})  # for probes, which have no token: whether rewards are given
OWNER_PATHS = frozenset({"/v1/swap"})
HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store", "referrer-policy": "no-referrer"}
JSON = "application/json"
METHODS = ("GET", "HEAD", "POST")
CLOSING = frozenset({408, 503})  # a body that may never end; a server that ends, whose clients should go elsewhere
log = logging.getLogger("assay.serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask. token: of clients, owner_token: of who may change the model; neither has a place in repr.

    hosts: names this server is called by, looked at where there is no token; None: any.
    """

    token: str | None = field(default=None, repr=False)
    owner_token: str | None = field(default=None, repr=False)
    hosts: frozenset[str] | None = None

    def refusal(self, path: str, method: str, headers: Headers) -> RefusedError | None:
        if headers.get("origin") is not None or headers.get("sec-fetch-site") not in (None, "none"):
            return RefusedError(403, "this server answers programs, not pages in a browser")
        if self.hosts is not None and _hostname(headers.get("host") or "") not in self.hosts:
            return RefusedError(400, "unknown host: this server is called by its own address")
        if method not in METHODS:
            return RefusedError(405, "not allowed", methods=METHODS)
        given = _bearer(headers.get("authorization"))
        if path in OWNER_PATHS:
            if self.owner_token is None:
                return RefusedError(
                    403, "no model is changed over HTTP: this server was started without an owner's token"
                )
            return None if _same(given, self.owner_token) else _unknown()
        if self.token is None or path in OPEN_PATHS:
            return None
        either = _same(given, self.token) | (self.owner_token is not None and _same(given, self.owner_token or ""))
        return None if either else _unknown()


class Guard:
    """Around the whole app: access, and the same headers on everything. told: headers that say what is served, on all
    that somebody is told who may ask."""

    def __init__(self, app: ASGIApp, access: Access, *, told: Callable[[], Mapping[str, str]]) -> None:
        self.app, self.access, self.told = app, access, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, **(self.told() if known else {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self.access.refusal(scope["path"], scope["method"], Headers(scope=scope))
        # Who has shown no token learns neither which weights are served nor how their gate stands.
        known = refusal is None and (self.access.token is None or scope["path"] not in OPEN_PATHS)
        app = self.app if refusal is None else refused({"error": {"message": refusal.told}}, refusal)
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:
            # Where and of which kind, and no more: the words of an error that nobody foresaw may hold what was sent.
            log.error("a mistake of assay's own: %s", where_of(error))  # noqa: TRY400


def refused(body: object, refusal: RefusedError) -> Response:
    """The answer that says so. What is still to come of a body is thrown away, so that the client can read it."""
    headers = {"connection": "close"} if refusal.status in CLOSING else {}
    if refusal.retry_after is not None:
        headers["retry-after"] = str(math.ceil(refusal.retry_after))
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refusal.status == 405:
        headers["allow"] = ", ".join(refusal.methods)
    return Response(dumps(body), status_code=refusal.status, media_type=JSON, headers=headers)


async def read_json(request: Request, *, most_bytes: int, seconds: float) -> object:
    """The body of a request as a JSON value.

    Raises RefusedError for one that is too large (before it is read, where its length is told), too slow, cut off, of
    another kind, or no JSON; half a surrogate and numbers that no float holds are none.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != JSON:
        raise RefusedError(415, f"send the body as {JSON}")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedError(415, "send the body as it is, not compressed")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (len(told) > 18 or int(told) > most_bytes):
        raise _too_large(most_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise _too_large(most_bytes)
    except TimeoutError:
        raise RefusedError(408, f"the body did not arrive within {seconds:g} s") from None
    except ClientDisconnect:
        raise RefusedError(408, "the body was cut off") from None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Its words are of the grammar and never of the text; where it is, is worth telling.
        raise RefusedError(400, f"the body is not JSON: {error.msg} (at character {error.pos})") from None


def where_of(error: BaseException) -> str:
    """The kind of an error, and the file and line it was raised in."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, f"a body has at most {most} bytes here: send fewer rows in one request")


def _unknown() -> RefusedError:
    return RefusedError(401, "this server wants its token: Authorization: Bearer ...")


def _bearer(header: str | None) -> str:
    kind, _, token = (header or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _same(given: str, token: str) -> bool:
    """In a time that depends on neither: digests have one length, and a header's characters may be any."""
    one, other = (hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, token))
    return hmac.compare_digest(one, other)


def _hostname(host: str) -> str:
    host = host.lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.rsplit(":", 1)[0]
