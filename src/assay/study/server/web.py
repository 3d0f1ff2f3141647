"""Gives all pages what they share: strict headers, same-origin forms, templates. Knows HTTP; knows no session."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = Path(__file__).parent
LONGEST_BODY = 64 * 1024
SLOWEST_BODY_SECONDS = 20.0
MOST_FIELDS = 64
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": that makes browsers send "Origin: null" with our own forms. Nothing leaves this origin.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class PageError(Exception):
    """A request that gets a page saying why not."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


class Guard:
    """Around the whole app: known hosts only, forms from our own pages only, the same strict headers on everything."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self.app)(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = (headers.get("host") or "").lower()
        name = host if host in self.hosts else host.rsplit(":", 1)[0]
        if name not in self.hosts:
            # A page elsewhere that points its own name at this address must not talk to us.
            return PlainTextResponse("Unknown host. Start the server with --url and its public address.", 400)
        if method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Not allowed.", 405)
        if method == "POST":
            site, origin = headers.get("sec-fetch-site"), headers.get("origin")
            # Browsers say where a form comes from and pages cannot forge it; a program that says neither has no user
            # whose cookie could be abused.
            foreign = site not in (None, "same-origin", "none")
            if foreign or (origin is not None and urlsplit(origin).netloc.lower() != host):
                return PlainTextResponse("This form was sent from another site.", 403)
        return None


async def read_form(request: Request) -> dict[str, str]:
    """A small urlencoded form. Raises PageError where it is none, too large, too slow or cut off."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise PageError(415, "Not a form", "Expected an urlencoded form.")
    body = b""
    try:
        async with asyncio.timeout(SLOWEST_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST_BODY:
                    raise PageError(
                        413, "Too long", "What was sent is too long. Shorten the comment; nothing was saved."
                    )
    except (TimeoutError, ClientDisconnect):
        raise PageError(408, "Cut off", "The form did not arrive whole. Send it again; nothing was saved.") from None
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        raise PageError(400, "Not a form", "What was sent cannot be read as a form.") from None
    return {name: value.replace("\r\n", "\n").replace("\x00", "\ufffd") for name, value in fields}


def wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


class Pages:
    """Templates, and addresses of static files that change with their content."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["static"] = {
            path.name: f"/static/{path.name}?{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
            for path in (HERE / "static").iterdir()
        }

    def page(self, name: str, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
        return HTMLResponse(self.environment.get_template(name).render(values), status_code=status)

    def problem(self, error: PageError, values: Mapping[str, object]) -> HTMLResponse:
        return self.page("problem.html", {"head": error.title, "text": error.text, **values}, status=error.status)
