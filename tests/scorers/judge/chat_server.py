"""A real chat-completions server on this machine, whose judge is a function, and which can fail in every way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Replies = Callable[[dict[str, Any]], Any]  # a request's body to the reply's words, or to one of the faults below


@dataclass(frozen=True)
class Raw:
    """An answer as it stands."""

    status: int = 200
    content: bytes = b""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Hang:
    """Nothing for so many seconds, then nothing."""

    seconds: float


@dataclass(frozen=True)
class Drip:
    """A byte now and then, so that no read ever times out."""

    every: float


CLOSE = object()  # the line is closed without an answer


@dataclass
class Server:
    """address: what a judge's file calls endpoint. seen: bodies of all requests; keys: what they carried."""

    address: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0


@contextmanager
def serving(replies: Replies) -> Iterator[Server]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes, the second of which would wait 40 ms for an ACK

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                server.seen.append(body)
                server.keys.append(self.headers.get("Authorization"))
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                self.answer(replies(body))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with lock:
                    server.at_once -= 1

        def answer(self, reply: Any) -> None:
            if reply is CLOSE:
                self.close_connection = True
                return
            if isinstance(reply, Hang):
                time.sleep(reply.seconds)
                self.close_connection = True
                return
            if isinstance(reply, Drip):
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                for _ in range(200):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(reply.every)
                return
            if not isinstance(reply, Raw):
                message = {"role": "assistant", "content": reply}
                reply = Raw(content=json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode())
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    class Listening(ThreadingHTTPServer):
        request_queue_size = 128  # lines that come at once; Python's own 5 turn some away, as no server of models does

    http = Listening(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def question(body: dict[str, Any]) -> str:
    """The user's turn."""
    return str(body["messages"][-1]["content"])


def shown(body: dict[str, Any]) -> tuple[str, str]:
    """Answers A and B as assay's own prompt shows them."""
    text = question(body)
    return tuple(  # type: ignore[return-value]
        text.partition(f"<answer {name}>\n")[2].partition(f"\n</answer {name}>")[0] for name in "AB"
    )


def prefers(worth: Callable[[str], float]) -> Replies:
    """A judge of answers: the one of more worth, in whichever place it stands."""

    def replies(body: dict[str, Any]) -> str:
        a, b = map(worth, shown(body))
        return f"I compared them. [[{'A' if a > b else 'B' if b > a else 'C'}]]"

    return replies


def always(reply: Any) -> Replies:
    return lambda _: reply
