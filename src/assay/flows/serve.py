"""From a run or any scorer to a server of rewards: `assay serve`. Knows the order of the steps.

1. Who may ask is settled. 2. The port is taken. 3. The gate is asked and the reward opened. 4. It is probed. 5. Serve.
So each refusal comes before what costs more than it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.config import StageConfig
from assay.endpoints.credential import credential_from
from assay.errors import ConfigError
from assay.listening import hosts_of, is_loopback, listen
from assay.scorers.local import LocalScorer
from assay.scorers.remote.config import RemoteConfig
from assay.serve.config import ServeConfig
from assay.serve.request_limits import Access
from assay.serve.reward_app import build_app
from assay.serve.reward_listener import serve_until_told
from assay.serve.reward_service import RewardService
from assay.serve.served_reward import Identity, Opening, ServedReward, open_served, probe
from assay.serve.watch.snapshot_file import SnapshotPlan
from assay.stats.unknown import Unknown

TOKEN, OWNER_TOKEN = "ASSAY_SERVE_TOKEN", "ASSAY_SERVE_OWNER_TOKEN"  # names of variables, which hold the tokens
LAST_SECONDS = 1.0  # that threads are given to end by themselves once nobody waits for them


class ServeOptions(StageConfig):
    """What `assay serve` reads: limits of requests and batches, and how a server is asked where the reward has one."""

    serve: ServeConfig = ServeConfig()
    remote: RemoteConfig = RemoteConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a server listens. open: whoever reaches it may ask, without a token."""

    host: str = "127.0.0.1"
    port: int = 8322
    open: bool = False

    def url(self, port: int) -> str:
        return f"http://[{self.host}]:{port}" if ":" in self.host else f"http://{self.host}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served where, told when the first request can be taken. unwatched: what cannot be watched, and why."""

    url: str
    identity: Identity
    gate: str
    token: bool
    snapshot: SnapshotPlan | None = None
    unwatched: tuple[str, ...] = ()


def serve(
    spec: str, *, door: Door, opening: Opening, config: ServeConfig, snapshot: SnapshotPlan | None = None,
    ready: Callable[[Serving], None] = lambda _: None,
) -> None:  # fmt: skip
    """Serve the reward that `spec` names until a signal ends it. snapshot: where served scores are written; None: none
    are.

    Raises ConfigError for an address that others reach where no token is set and for limits that cannot be held,
    InputError for a port that is taken and for a snapshot that cannot be written, GateError where no gate passed the
    reward, and what opening and probing it raise.
    """
    access = access_at(door)
    listening = listen(door.host, door.port)
    written = None
    try:
        if snapshot is not None:
            snapshot.check()
            written = snapshot
        port: int = listening.getsockname()[1]

        async def run(served: ServedReward) -> None:
            service = RewardService(served, config, opening, on_gpu=on_gpu(served), snapshot=snapshot)
            serving = Serving(
                url=door.url(port), identity=served.identity, gate=service.gate, token=access.token is not None,
                snapshot=snapshot, unwatched=unwatched(service),
            )  # fmt: skip
            # The service alone holds it: once another is swapped in, gigabytes of the first must not stay.
            del served
            app = build_app(service, access)

            def say() -> None:
                with contextlib.suppress(OSError):  # a full disk where it is told is no reason not to serve
                    ready(serving)

            await serve_until_told(service, app, listening=listening, ready=say)

        # No name for the reward here, which would hold it to the end.
        asyncio.run(run(opened_and_probed(spec, opening)))
    finally:
        listening.close()
        if written is not None:
            written.tidy()
        leave_a_full_log()


def opened_and_probed(spec: str, opening: Opening) -> ServedReward:
    """The reward, which may be served. From here on the server tells of itself."""
    served = open_served(spec, opening)
    probe(served.engine)
    tell_of_events()
    return served


def unwatched(service: RewardService) -> tuple[str, ...]:
    """Why served rewards are held against no training's, or no answers known, where that is so."""
    assert service.watching.now is not None
    of = service.watching.now.of
    return tuple(one.reason for one in (of.training, of.known) if isinstance(one, Unknown))


def access_at(door: Door) -> Access:
    """Who may ask there, by the tokens in the environment. Raises ConfigError."""
    token = credential_from([TOKEN]).token
    owner_token = credential_from([OWNER_TOKEN]).token
    if token is None and not door.open and not is_loopback(door.host):
        raise ConfigError(
            f"{door.host} is reached by others, and no token is set: whoever reaches it could ask, and learn what is "
            f"rewarded. Put one into the environment as {TOKEN} (such as `openssl rand -hex 32` prints), or say "
            "--open where the network itself is closed and clients cannot send a token (OpenRLHF's and verl's)."
        )
    if token is not None and token == owner_token:
        raise ConfigError(f"{TOKEN} and {OWNER_TOKEN} are the same: then every client may change the model.")
    # With a token a page that calls itself by another name gets nothing; without one the name tells it from a program.
    hosts = hosts_of(door.host) if token is None and is_loopback(door.host) else None
    return Access(token=token, owner_token=owner_token, hosts=hosts)


def on_gpu(served: ServedReward) -> bool:
    scorer = served.engine.scorer
    return isinstance(scorer, LocalScorer) and scorer.reward_model.device.type != "cpu"


def tell_of_events() -> None:
    """Lines about the server itself to standard error: a swap, a gate, the end. A full disk behind it stops nothing."""
    log = logging.getLogger("assay.serve")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    logging.raiseExceptions = False
    # uvicorn's own are of addresses and mistakes in requests: the loud ones alone.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)


def leave_what_never_ends() -> None:
    """End this process where a pass or a load is still under way, which Python would wait for: as long as a server that
    is asked in turn takes, or a model of gigabytes.
    """
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("assay-")]
    for thread in ours:
        thread.join(LAST_SECONDS / len(ours))
    if any(thread.is_alive() for thread in ours):
        leave_a_full_log()
        os._exit(0)


def leave_a_full_log() -> None:
    """Lines that a full disk did not take would make an exit code of their own when Python ends."""
    try:
        sys.stderr.flush()
    except OSError:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
