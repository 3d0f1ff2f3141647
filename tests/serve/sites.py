"""A served reward in a thread of this process: real HTTP on loopback, without the seconds of a start."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from assay.listening import listen
from assay.records import Text
from assay.scorers.function import FunctionScorer
from assay.serve.config import ServeConfig
from assay.serve.gate_pass import UNGATED, GateWatch
from assay.serve.request_limits import Access
from assay.serve.reward_app import build_app
from assay.serve.reward_listener import RewardServer, server_for
from assay.serve.reward_service import RewardService
from assay.serve.row_engine import engine_for
from assay.serve.served_reward import Identity, Opening, ServedReward, open_served
from assay.serve.watch.snapshot_file import SnapshotPlan

T = TypeVar("T")


@dataclass(frozen=True)
class Said:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Site:
    """A server that serves. service, loop: of its thread."""

    port: int
    service: RewardService
    loop: asyncio.AbstractEventLoop
    server: RewardServer
    token: str | None = None
    sent: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Said:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            given = {"content-type": "application/json"} if body is not None else {}
            if self.token is not None:
                given["authorization"] = f"Bearer {self.token}"
            line.request(method, path, body=body, headers={**given, **(headers or {})})
            found = line.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Said(found.status, told, found.read())
        finally:
            line.close()

    def get(self, path: str, **headers: str) -> Said:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object, **headers: str) -> Said:
        return self.ask("POST", path, json.dumps(body).encode(), headers)

    def do(self, work: Coroutine[None, None, T]) -> T:
        """Run something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def raw(self, head: str) -> socket.socket:
        """A line on which `head` was sent, and nothing more."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        line.sendall(head.encode())
        return line


@contextmanager
def serving(
    reward: str | ServedReward,
    *,
    config: ServeConfig | None = None,
    access: Access | None = None,
    opening: Opening | None = None,
    snapshot: SnapshotPlan | None = None,
) -> Iterator[Site]:
    """A site that serves a scorer by its name, without a gate unless `opening` asks for one."""
    opening = opening or Opening(ungated=True)
    served = open_served(reward, opening) if isinstance(reward, str) else reward
    listening = listen("127.0.0.1", 0)
    sites: list[Site] = []
    failures: list[BaseException] = []

    async def run() -> None:
        service = RewardService(served, config or ServeConfig(), opening, snapshot=snapshot)
        given = access or Access()
        server = server_for(service, build_app(service, given), service.config)
        port = listening.getsockname()[1]
        sites.append(Site(port, service, asyncio.get_running_loop(), server, token=given.token))
        service.start()
        try:
            await server.serve(sockets=[listening])
        finally:
            await service.close()

    def target() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        until(lambda: bool(failures) or bool(sites and sites[0].server.started))
        if failures:
            raise failures[0]
        yield sites[0]
    finally:
        for site in sites:
            site.server.should_exit = True
        thread.join()
        listening.close()
    if failures:
        raise failures[0]


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come to that")


def of_function(function: Callable[[Text, Sequence[Text]], list[Any]], name: str = "rule") -> ServedReward:
    """A plain function as a served reward, for tests that hold its passes or break them."""
    scorer = FunctionScorer(function, name=name, fingerprint=f"{name}/1")
    return ServedReward(
        spec=name,
        engine=engine_for(scorer),
        identity=Identity(names=(name,), fingerprint=scorer.fingerprint, most_tokens=None),
        watch=GateWatch(name, scorer, UNGATED),
    )


def group(prompt: str, *answers: str) -> dict[str, object]:
    """The body of a request for one group."""
    return {"groups": [{"prompt": prompt, "answers": list(answers)}]}
