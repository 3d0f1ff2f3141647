"""A real HTTP server on this machine that speaks the reward formats of vLLM, sglang, TEI and OpenRLHF, and every fault.

Written on plain streams, so that it can hang, close the line in the middle and answer what no framework would. `Server`
runs in a thread of the process that tests; as a script it is a process of its own:
`python -m tests.support.reward_server PORT DELAY`.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Rule = Callable[[object], float]  # a row as it was sent -> its raw reward


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """status, body and headers of an answer; wait: seconds before it; cut: close the line after so many bytes."""

    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    cut: int | None = None

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Fault = Callable[[Request, Answer], Answer]


def letters(row: object) -> float:
    """A raw reward by content, -10 to 10, the same for the same row. Takes no text with `unreadable`."""
    text = json.dumps(row)
    if "unreadable" in text:
        raise ValueError("the row is longer than the model reads")
    return zlib.crc32(text.encode()) % 2000 / 100 - 10


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


class Server:
    """Serves on a free port until left. rule: rewards of rows. fault: changes answers; requests: all there were.

    ignores_switch: gives probabilities whatever the switch says. softmax: gives 1 for each row.
    """

    def __init__(self, rule: Rule = letters, *, port: int = 0, delay: float = 0.0) -> None:
        self.rule, self.port, self.delay = rule, port, delay
        self.fault: Fault = lambda request, answer: answer
        self.requests: list[Request] = []
        self.most_at_once = self._under_way = self.lines = 0
        self.most_pause = self._last = 0.0  # seconds between one request and the next
        self.models = ["tiny"]
        self.token: str | None = None
        self.ignores_switch = self.softmax = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[Request]:
        """Requests for rewards, without those for what is served."""
        return [request for request in self.requests if request.method == "POST"]

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        self._loop.run_until_complete(self.serve(started.set))
        self._loop.close()

    async def serve(self, started: Callable[[], object]) -> None:
        self._stop = asyncio.Event()
        self._lines: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._line, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        started()
        await self._stop.wait()
        server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        self.lines += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._lines.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False where the line is closed after it."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, json.loads(raw) if raw else None)
        self.requests.append(request)
        if len(self.requests) > 1:
            self.most_pause = max(self.most_pause, time.monotonic() - self._last)
        self._last = time.monotonic()
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            answer = self.fault(request, self._answer(request))
            await asyncio.sleep(self.delay + answer.wait)
        finally:
            self._under_way -= 1
        head = {"Content-Type": "application/json", "Content-Length": str(len(answer.raw)), **answer.headers}
        text = f"HTTP/1.1 {answer.status} said\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()) + "\r\n"
        writer.write((text.encode() + answer.raw)[: answer.cut])
        await writer.drain()
        return answer.cut is None

    def _answer(self, request: Request) -> Answer:
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            said = request.headers.get("authorization")
            return Answer({"error": {"message": f"not welcome: {said}"}}, 401)
        try:
            return Answer(self._routes(request))
        except KeyError:
            return Answer({"detail": "Not Found"}, 404)
        except ValueError as error:
            return Answer({"error": {"message": str(error), "type": "BadRequestError"}}, 400)

    def _routes(self, request: Request) -> object:
        body = request.body
        if request.method == "GET":
            return {
                "/v1/models": {
                    "object": "list",
                    "data": [{"id": one, "root": one, "created": 1} for one in self.models],
                },
                "/get_model_info": {"model_path": self.models[0], "is_generation": False},
                "/info": {"model_id": self.models[0], "model_sha": "abc", "version": "1.9.0"},
            }[request.path]
        if request.path in ("/classify", "/pooling") and ("input" in body or "messages" in body):
            key = "probs" if request.path == "/classify" else "data"
            assert request.path == "/classify" or body["task"] == "classify"
            return self._openai([body["messages"]] if "messages" in body else body["input"], key, body)
        if request.path == "/classify":
            rows = body.get("text") or body["input_ids"]
            meta = [{"prompt_tokens": len(row), "e2e_latency": 0.1} for row in rows]
            values = [self._value(row, activated=False) for row in rows]
            return [{"embedding": [value], "meta_info": one} for value, one in zip(values, meta, strict=True)]
        if request.path == "/v1/embeddings":
            return self._openai(body["input"], "embedding", {"use_activation": False})
        if request.path == "/predict":
            assert body["truncate"] is False
            values = [self._value(row, activated=not body["raw_scores"]) for row in body["inputs"]]
            return [[{"label": "LABEL_0", "score": value}] for value in values]
        if request.path == "/get_reward":
            values = [self._value(row, activated=False) for row in body["query"]]
            assert len(values) == len(body["prompts"]) == len(body["labels"])
            return {"rewards": values, "scores": values, "extra_logs": {}}
        raise KeyError(request.path)

    def _openai(self, rows: Sequence[object], key: str, body: dict[str, Any]) -> object:
        values = [self._value(row, activated=body.get("use_activation", True)) for row in rows]
        data = [{"index": n, key: [value]} for n, value in enumerate(values)]
        tokens = sum(len(str(row)) for row in rows)
        # The order of rows is in their index, as servers that answer as results come would have it.
        return {"object": "list", "data": data[::-1], "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    def _value(self, row: object, *, activated: bool) -> float:
        raw = self.rule(row)
        if self.softmax:
            return 1.0
        return sigmoid(raw) if activated or self.ignores_switch else raw


def main(port: int, delay: float) -> None:
    server = Server(port=port, delay=delay)
    asyncio.run(server.serve(lambda: print(server.port, flush=True)))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
