"""`assay serve` as a process: what it refuses to start with, signals, two on one port, a disk that is full."""

from __future__ import annotations

import gc
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.artifacts.snapshot_body import SnapshotBody
from assay.cli.main import build
from assay.errors import AssayError, ConfigError, GateError, InputError
from assay.flows import serve as flow
from assay.flows.serve import Door, access_at
from assay.listening import hosts_of, listen
from assay.serve.asked import turns
from assay.serve.config import ServeConfig
from assay.serve.reward_service import RewardService
from assay.serve.served_reward import Opening

ASSAY = Path(sys.executable).with_name("assay")
TOKEN = "0123456789abcdef0123"


def refused(*words: str) -> BaseException | None:
    return CliRunner().invoke(build(), ["serve", *words]).exception


def test_what_is_refused_before_anything_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_SERVE_TOKEN", raising=False)
    monkeypatch.delenv("ASSAY_SERVE_OWNER_TOKEN", raising=False)
    found = refused("baseline:longest", "--ungated", "--host", "0.0.0.0")
    assert isinstance(found, ConfigError)
    assert "ASSAY_SERVE_TOKEN" in str(found)
    assert isinstance(refused("baseline:longest", "--port", "0"), GateError)
    assert isinstance(refused("baseline:longest", "--ungated", "--set", "serve.rows=0"), ConfigError)
    assert isinstance(refused(str(tmp_path / "none"), "--ungated", "--port", "0"), AssayError)
    assert "--name" in str(refused("baseline:longest", "--ungated", "--port", "0", "--name", "half \udcff"))
    assert isinstance(refused("recorded:x", "--ungated", "--host", "192.0.2.1", "--open"), InputError)
    with listen("127.0.0.1", 0) as taken:
        found = refused("baseline:longest", "--ungated", "--port", str(taken.getsockname()[1]))
        assert isinstance(found, InputError)
        assert "another server" in str(found)


def test_who_may_ask_is_settled_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_SERVE_OWNER_TOKEN", raising=False)
    monkeypatch.delenv("ASSAY_SERVE_TOKEN", raising=False)
    assert access_at(Door()).hosts == hosts_of("127.0.0.1")
    assert access_at(Door(host="0.0.0.0", open=True)).hosts is None
    monkeypatch.setenv("ASSAY_SERVE_TOKEN", TOKEN)
    assert access_at(Door(host="0.0.0.0")).token == TOKEN
    monkeypatch.setenv("ASSAY_SERVE_OWNER_TOKEN", TOKEN)
    with pytest.raises(ConfigError, match="are the same"):
        access_at(Door())
    assert hosts_of("::1") >= {"localhost", "[::1]"}


def test_the_first_model_is_let_go_of_once_another_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else gigabytes of the model of the start stay on the device beside every one that is swapped in."""
    ended: list[bool] = []

    async def until_swapped(service: RewardService, *_: object, ready: Callable[[], None], **__: object) -> None:
        service.start()
        ready()
        await service.batcher.submit([turns("p", "a")])
        first = weakref.ref(service.served.engine)
        await service.swap("baseline:shortest")
        gc.collect()
        ended.append(first() is None)
        await service.close()

    monkeypatch.setattr(flow, "serve_until_told", until_swapped)
    monkeypatch.setattr(flow, "tell_of_events", lambda: None)  # which is for a process of its own
    flow.serve("baseline:longest", door=Door(port=0), opening=Opening(ungated=True), config=ServeConfig())
    assert ended == [True]


@contextmanager
def process(*words: str, stderr: int = subprocess.PIPE) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command as a process of its own, and its port once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("ASSAY_SERVE_TOKEN", None)
    command = [str(ASSAY), "serve", *words, "--port", str(port)]
    started = subprocess.Popen(command, env=environment, stderr=stderr, text=True)
    try:
        for _ in range(6000):
            try:
                if said(port, "GET", "/ready")[0] == 200:
                    break
            except OSError:
                assert started.poll() is None, started.stderr.read() if started.stderr else ""
                time.sleep(0.05)
        yield started, port
    finally:
        started.kill()
        started.wait()
        if started.stderr:
            started.stderr.close()


def said(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = None if body is None else json.dumps(body).encode()
        line.request(method, path, body=sent, headers={"content-type": "application/json"})
        found = line.getresponse()
        return found.status, found.read()
    finally:
        line.close()


BODY = {"groups": [{"prompt": "p", "answers": ["the words of a customer", "b"]}]}


def test_signals_swap_and_end(tmp_path: Path) -> None:
    snapshot = tmp_path / "served.jsonl"
    words = ("--ungated", "--name", "tiny", "--snapshot", str(snapshot))
    with process("baseline:longest", *words) as (started, port):
        assert said(port, "POST", "/v1/score", {**BODY, "model": "tiny"})[0] == 200
        started.send_signal(signal.SIGHUP)
        for _ in range(2000):
            if b'assay_swaps_total{outcome="done"} 1' in said(port, "GET", "/metrics")[1]:
                break
            time.sleep(0.02)
        assert said(port, "POST", "/v1/score", BODY)[0] == 200
        started.send_signal(signal.SIGTERM)
        _, log = started.communicate(timeout=120)
        assert started.returncode == 0
    assert "No gate was asked" in log
    assert "now served: tiny" in log
    assert "ungated" in log
    assert "ending" in log
    assert "Not watched: baseline:longest is no single model of a run" in " ".join(log.split())
    assert "customer" not in log
    assert "without texts" in " ".join(log.split())
    for path in (snapshot, tmp_path / "served-2.jsonl"):
        about = SnapshotBody.read(path.with_suffix(".about.json"))
        assert (about.model, about.groups, about.answers, about.texts) == ("tiny", 1, 2, "none")
        assert about.ended is not None
        assert set(json.loads(path.read_text())) == {"id", "scores"}


class HungServer(BaseHTTPRequestHandler):
    """A server that says what it serves and never gives a reward."""

    let, asked = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        body = b'{"model_id": "m", "model_sha": "1"}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.asked.set()
        self.let.wait(300)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_a_process_ends_though_the_server_it_asks_never_answers() -> None:
    hung = ThreadingHTTPServer(("127.0.0.1", 0), HungServer)
    threading.Thread(target=hung.serve_forever, daemon=True).start()
    try:
        asked = f"tei:http://127.0.0.1:{hung.server_address[1]}"
        with process(asked, "--ungated", "--set", "serve.drain_seconds=600") as (started, port):
            with ThreadPoolExecutor(1) as pool:
                under_way = pool.submit(said, port, "POST", "/v1/score", BODY)
                assert HungServer.asked.wait(120)
                started.send_signal(signal.SIGTERM)
                while said(port, "GET", "/ready")[0] != 503:
                    time.sleep(0.02)
                started.send_signal(signal.SIGTERM)
                assert under_way.result(120)[0] == 503
            assert started.wait(40) == 0, "it waits for the server it asks, which is given a minute a try"
    finally:
        HungServer.let.set()
        hung.shutdown()
        hung.server_close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_the_log_costs_no_answer() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with process("baseline:longest", "--ungated", stderr=full) as (started, port):
            started.send_signal(signal.SIGHUP)
            assert said(port, "POST", "/v1/score", BODY)[0] == 200
            started.send_signal(signal.SIGTERM)
            assert started.wait(120) == 0
    finally:
        os.close(full)
