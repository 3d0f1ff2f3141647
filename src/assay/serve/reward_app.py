"""The web application of a served reward: all dialects' paths, health, readiness, metrics, swap; errors to bodies.

A client that goes away while it waits takes its rows out of the queue. Every refusal is told in the dialect it came in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Scope

from assay.artifacts.files import dumps
from assay.errors import AssayError
from assay.serve.dialects.all_dialects import PATHS, described, spoken
from assay.serve.dialects.dialect import Dialect, openai_error
from assay.serve.prometheus_text import CONTENT_TYPE
from assay.serve.refusal import RefusedError
from assay.serve.request_limits import JSON, Access, Guard, read_json, refused
from assay.serve.reward_service import RewardService
from assay.version import __version__

T = TypeVar("T")
NO_ANSWER = 499  # a client that went; nobody reads it, and the metrics count it


def build_app(service: RewardService, access: Access) -> ASGIApp:
    """The application around a service, which it neither starts nor closes."""
    handlers = Handlers(service)
    routes = [ExactRoute(path, handlers.score, methods=["POST"]) for path in PATHS]
    routes += [
        ExactRoute("/health", handlers.health),
        ExactRoute("/ready", handlers.ready),
        ExactRoute("/metrics", handlers.metrics),
        ExactRoute("/v1/watch", handlers.watch),
        ExactRoute("/v1/swap", handlers.swap, methods=["POST"]),
        *(ExactRoute(path, handlers.described) for path in ("/v1/models", "/get_model_info", "/info")),
    ]
    problems = {HTTPException: handlers.no_such_path, Exception: handlers.own_fault}
    app = Starlette(routes=routes, exception_handlers=problems)
    app.router.redirect_slashes = False

    def told() -> dict[str, str]:
        return {"x-assay-gate": service.gate, "x-assay-model": service.identity.fingerprint}

    return Guard(app, access, told=told)


class ExactRoute(Route):
    """A route of one path, and of nothing that only looks like it.

    Starlette's patterns end in `$`, which also matches before a newline: `/v1/swap%0A` would reach the handler of a
    path for which the guard asks the owner's token, and the guard would not know it.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if scope["path"] == self.path else (Match.NONE, {})


class Handlers:
    """One method a path."""

    def __init__(self, service: RewardService) -> None:
        self.service = service

    async def score(self, request: Request) -> Response:
        dialect: Dialect | None = None
        try:
            self.service.refuse_unready()  # before the body, which would be read for nothing
            body = await self._body(request)
            # Not of request.url, which is put together with what the client calls this host.
            dialect, told = spoken(request.scope["path"], body)
            self.service.refuse_many(dialect.count(told))  # before each is looked at, which would hold up everybody
            parsed = dialect.parse(told)
            reply = await unless_gone(request, self.service.answer(dialect, parsed))
        except RefusedError as refusal:
            return self._refused(refusal, dialect)
        if reply is None:
            self.service.counts.gone.add()
            self.service.counts.requests.add(dialect=dialect.name, status=str(NO_ANSWER))
            return Response(status_code=NO_ANSWER)
        self.service.counts.requests.add(dialect=dialect.name, status="200")
        headers = {
            "x-assay-model": reply.identity.fingerprint, "x-assay-gate": reply.gate,
            "x-assay-rewards": "sigmoid" if parsed.activated else "raw",
        }  # fmt: skip
        return Response(dumps(reply.body), media_type=JSON, headers=headers)

    async def swap(self, request: Request) -> Response:
        try:
            identity = await self.service.swap(_wanted(await self._body(request)))
        except RefusedError as refusal:
            return self._refused(refusal, None)
        except AssayError as error:
            # To the owner, whose own words it repeats: which gate, which file, and the way out.
            return self._refused(RefusedError(422, str(error)), None)
        told = {"model": identity.name, "fingerprint": identity.fingerprint, "gate": self.service.gate}
        return Response(dumps(told), media_type=JSON)

    async def health(self, _request: Request) -> Response:
        """Whether the process is alive and its threads with it; a gate that closed is no reason to start it anew."""
        alive = self.service.batcher.alive
        return PlainTextResponse("alive\n" if alive else "the batcher has ended\n", 200 if alive else 500)

    async def ready(self, _request: Request) -> Response:
        why = self.service.not_ready()
        return PlainTextResponse("ready\n" if why is None else f"{why}\n", 200 if why is None else 503)

    async def metrics(self, _request: Request) -> Response:
        return Response(self.service.counts.text(), headers={"content-type": CONTENT_TYPE})

    async def watch(self, _request: Request) -> Response:
        return Response(dumps(await self.service.watching.figures()), media_type=JSON)

    async def described(self, request: Request) -> Response:
        identity = self.service.identity
        told = described(
            name=identity.name, fingerprint=identity.fingerprint, most_tokens=identity.most_tokens,
            rows=self.service.config.rows, version=__version__,
        )  # fmt: skip
        return Response(dumps(told[request.scope["path"]]), media_type=JSON)

    async def no_such_path(self, _request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        told = "not allowed here" if status == 405 else f"no such path; rewards are given at {', '.join(PATHS)}"
        headers = (error.headers if isinstance(error, HTTPException) else None) or {}
        return self._refused(RefusedError(status, told, methods=sorted(headers.get("Allow", "").split(", "))), None)

    async def own_fault(self, _request: Request, _error: Exception) -> Response:
        """Starlette raises the error again behind this answer; the guard notes where it came from."""
        return self._refused(RefusedError(500, "a mistake of this server's own; its log says which"), None)

    async def _body(self, request: Request) -> object:
        config = self.service.config
        return await read_json(request, most_bytes=config.body_bytes, seconds=config.body_seconds)

    def _refused(self, refusal: RefusedError, dialect: Dialect | None) -> Response:
        name = "none" if dialect is None else dialect.name
        self.service.counts.requests.add(dialect=name, status=str(refusal.status))
        error = openai_error if dialect is None else dialect.error
        return refused(error(refusal.status, refusal.told), refusal)


def _wanted(body: object) -> str | None:
    """What a swap is asked for."""
    model = body.get("model") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not (model is None or isinstance(model, str)):
        raise RefusedError(400, 'the body: {"model": what assay serve takes}, or {} for what stands there now')
    return model


async def unless_gone(request: Request, work: Coroutine[None, None, T]) -> T | None:
    """What `work` gives, or None where the client went first; `work` is cancelled then. The body has to be read."""
    asked = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
        return await asked if asked.done() else None
    finally:
        for one in (asked, gone):
            one.cancel()
        await asyncio.gather(asked, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    # After the last of the body the next that comes of a client is its going.
    while (await request.receive())["type"] != "http.disconnect":
        pass
