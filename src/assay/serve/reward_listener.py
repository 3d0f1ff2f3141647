"""The process that serves: connections to the application, signals, and an end that loses no request.

SIGTERM and SIGINT: new requests are refused with 503, those under way are answered, then the process ends with 0; a
second one ends it at once. SIGHUP: what stands where the reward was named is loaded and swapped in. A connection that
does not send the head of a request in time, or does not take its answer, is closed, however slowly it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from types import FrameType

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from assay.serve.config import ServeConfig
from assay.serve.reward_service import RewardService


class ImpatientProtocol(H11Protocol):
    """uvicorn's own, with times by which the head of a request has to be there, and an answer taken; it has none."""

    header_seconds, answer_seconds = 10.0, 30.0
    _deadline: asyncio.TimerHandle | None = None
    _taken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Whoever listens to all logs would have uvicorn write a line a request, paths included, whatever it is told.
        self.access_log = False
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait_for_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Between two requests of a line uvicorn's own keep-alive time counts; a half head starts ours again.
        self._forget_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._forget_taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The system takes no more of an answer: its client does not read."""
        super().pause_writing()
        self._forget_taken()
        self._taken = self.loop.call_later(self.answer_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._forget_taken()
        super().resume_writing()

    def _wait_for_head(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        # Also what is left of a body that was refused counts: it is thrown away, so that its sender can read why.
        idle = self.cycle is not None and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if answering or idle:
            self._forget_deadline()
            if idle and self.timeout_keep_alive_task is None:
                # uvicorn forgot it when the last of a refused body came, and nobody would ever close this line.
                wait, end = self.timeout_keep_alive, self.timeout_keep_alive_handler
                self.timeout_keep_alive_task = self.loop.call_later(wait, end)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _forget_taken(self) -> None:
        if self._taken is not None:
            self._taken.cancel()
            self._taken = None


class RewardServer(uvicorn.Server):
    """uvicorn's server, which at a signal first lets the service drain while refusals are still told."""

    def __init__(self, config: uvicorn.Config, service: RewardService) -> None:
        super().__init__(config)
        self.service = service
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not handed on to uvicorn: it would close the door at once, and raise the signal again at the end.
        if self._loop is None or self._draining is not None:
            self.should_exit = self.force_exit = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.service.hurry)
            return
        self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drained())

    async def _drained(self) -> None:
        await self.service.drain()
        # Answers that are ready are still being written.
        await asyncio.sleep(0.1)
        self.should_exit = True


def server_for(service: RewardService, app: ASGIApp, config: ServeConfig) -> RewardServer:
    """The server of an application; it listens where it is given a socket."""
    # An answer has the time of a body: both are of one size.
    times = {"header_seconds": config.header_seconds, "answer_seconds": config.body_seconds}
    protocol = type("Protocol", (ImpatientProtocol,), times)
    return RewardServer(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            log_config=None,
            access_log=False,  # who asks when is nobody's business
            server_header=False,
            proxy_headers=False,
            limit_concurrency=config.connections + 1,  # uvicorn refuses at its limit already
            timeout_keep_alive=60,  # trainers pause between rollouts
            timeout_graceful_shutdown=10,
            lifespan="off",
        ),
        service,
    )


async def serve_until_told(
    service: RewardService, app: ASGIApp, *, listening: socket.socket, ready: Callable[[], None]
) -> None:
    """Serve on a socket that listens until a signal ends it. ready: called just before the first request is taken."""
    service.start()
    server = server_for(service, app, service.config)
    loop = asyncio.get_running_loop()
    swaps: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        task = asyncio.ensure_future(_swapped(service))
        swaps.add(task)
        task.add_done_callback(swaps.discard)

    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # no such signal, or not the main thread
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        ready()
        await server.serve(sockets=[listening])
    finally:
        await service.close()


async def _swapped(service: RewardService) -> None:
    # What went wrong stands in the log already; the model that was served still is.
    with contextlib.suppress(Exception):
        await service.swap()
