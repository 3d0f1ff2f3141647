"""Puts the study's web application together, routes and errors to pages, and serves it until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from assay.errors import StudyError
from assay.listening import hosts_of
from assay.study.server.commit_queue import CommitQueue
from assay.study.server.editor_pages import EditorPages
from assay.study.server.entry_pages import EntryPages
from assay.study.server.owner_pages import OwnerPages
from assay.study.server.served_study import ServedStudy, read_served_study
from assay.study.server.sessions import Sessions
from assay.study.server.web import HERE, Guard, PageError, Pages, wants_json
from assay.study.store.database import StudyUnavailableError
from assay.study.store.verification import verify_of
from assay.study.study_address import without_password

MOST_CONNECTIONS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server listens, and the address people type if a proxy stands in front."""

    host: str = "127.0.0.1"
    port: int = 8321
    url: str | None = None

    @property
    def base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def hosts(self) -> frozenset[str]:
        """Names a browser may call us by."""
        typed = {urlsplit(self.base).hostname or self.host, urlsplit(self.base).netloc}
        return hosts_of(self.host) | {name.lower() for name in typed}


class _Static(StaticFiles):
    """Static files under addresses that change with their content may be kept by browsers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=86400"
        return response


def build_app(queue: CommitQueue, served: ServedStudy, *, address: Address) -> ASGIApp:
    """The application around an open queue. The app neither opens nor closes it.

    The guard stands outside of everything: a page that tells of our own failure has the same headers as any other.
    """
    pages = Pages()
    secure = address.base.startswith("https://")
    sessions = Sessions(queue, study_id=served.study.id, secure=secure, days=served.config.link_days)
    entry = EntryPages(queue=queue, served=served, pages=pages, sessions=sessions)
    editor = EditorPages(queue=queue, served=served, pages=pages, sessions=sessions)
    owner = OwnerPages(served=served, pages=pages, sessions=sessions, url=address.base)

    async def problem(request: Request, error: Exception) -> Response:
        shown = _as_page(error)
        if wants_json(request):
            return JSONResponse({"problem": shown.title, "text": shown.text}, status_code=shown.status)
        response = pages.problem(shown, {"title": served.config.title, "again": shown.status == 503})
        if shown.status in (429, 503):
            response.headers["retry-after"] = "2"
        return response

    async def home(_request: Request) -> Response:
        return RedirectResponse("/judge", status_code=303)

    handlers = {PageError: problem, HTTPException: problem, StudyError: problem, Exception: problem}
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/s/{token}", entry.welcome),
            Route("/s/{token}/", entry.welcome),  # as some programs write links
            Route("/enter", entry.enter, methods=["POST"]),
            Route("/judge", editor.judge),
            Route("/vote", editor.vote, methods=["POST"]),
            Route("/undo", editor.undo, methods=["POST"]),
            Route("/owner", owner.overview),
            Route("/owner/link", owner.link, methods=["POST"]),
            Route("/owner/close", owner.close, methods=["POST"]),
            Mount("/static", _Static(directory=HERE / "static")),
        ],
        exception_handlers=handlers,
    )
    # Starlette redirects to whole addresses, and behind TLS would write http:// and the link's token into them.
    app.router.redirect_slashes = False
    return Guard(app, hosts=address.hosts)


def _as_page(error: Exception) -> PageError:
    if isinstance(error, PageError):
        return error
    if isinstance(error, HTTPException):
        return PageError(error.status_code, "Nothing here", "This address does not exist. Open your personal link.")
    if isinstance(error, StudyUnavailableError):
        return PageError(
            503,
            "Not saved yet",
            "The server cannot write just now. What it confirmed before is kept; your last press is not confirmed. "
            "Reload this page to send it again: the same judgement counts once.",
        )
    return PageError(500, "Something went wrong", "The server could not do this. What it confirmed before is kept.")


@asynccontextmanager
async def open_study(place: str) -> AsyncIterator[tuple[CommitQueue, ServedStudy]]:
    """Take a study for serving, check its seal and audit trail, and let it go at the end."""
    queue = CommitQueue(place)
    queue.open()
    try:
        problems = await queue.do(verify_of)
        if problems:
            raise StudyError(f"{without_password(place)}: {' '.join(problems)} It is not served.")
        yield queue, await queue.do(read_served_study)
    finally:
        await asyncio.to_thread(queue.close)


def serve(place: str, *, address: Address, ready: Callable[[ServedStudy], None]) -> None:
    """Serve until interrupted. `ready` is told what is served just before the first request is taken."""
    import uvicorn

    async def run() -> None:
        async with open_study(place) as (queue, served):
            config = uvicorn.Config(
                build_app(queue, served, address=address),
                host=address.host,
                port=address.port,
                log_level="warning",
                access_log=False,  # addresses hold link tokens; and who asks when is nobody's business
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=10,
                lifespan="off",
            )
            ready(served)
            await uvicorn.Server(config).serve()

    asyncio.run(run())
