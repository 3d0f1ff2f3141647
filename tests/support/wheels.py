"""A small package index of our own, good and bad, so that fetching is tried with pip and no network."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assay.models.catalogue import Entry
from tests.support import bases


def wheel(folder: Path) -> tuple[Path, Entry]:
    """A wheel with a tiny encoder inside, and its entry of a catalogue."""
    model = bases.save(folder / "model", "bert")
    path = folder / "tiny_bert-1.0-py3-none-any.whl"
    info = "tiny_bert-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(model.iterdir()):
            archive.write(file, f"tiny_bert/model/{file.name}")
        archive.writestr("tiny_bert/model/deeper/other.json", "{}")
        archive.writestr("tiny_bert/__init__.py", "raise SystemExit('must not be run')")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-bert\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = Entry(
        name="tiny", what="for tests", package="tiny-bert", version="1.0", sha256=digest, inside="tiny_bert/model",
        megabytes=1,
    )  # fmt: skip
    return path, entry


class Handler(BaseHTTPRequestHandler):
    """Serves one project; `manner` says how its wheel arrives: whole, half (the line breaks) or stalled."""

    def __init__(self, path: Path, manner: str, served: list[str], *args: object) -> None:
        self.wheel, self.manner, self.served = path, manner, served
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = self.wheel.read_bytes()
        if not self.path.endswith(".whl"):
            body = f'<a href="/{self.wheel.name}">{self.wheel.name}</a>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if b"<a " in body[:3] else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path.endswith(".whl"):
            self.served.append(self.path)
            if self.manner != "whole":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                if self.manner == "stalled":
                    time.sleep(60)
                return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def index(path: Path, manner: str = "whole") -> Iterator[tuple[str, list[str]]]:
    """URL of an index with this one wheel, and the list of what it served."""
    served: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, path, manner, served))
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple", served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
