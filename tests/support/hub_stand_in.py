"""A small HTTP server that takes what the hub's library sends in a push: repositories, upload modes, commits, LFS.

Small files come inside the commit, large ones (here: weights) by git-LFS, as the real hub has them sent.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What arrived. files: by path, of all commits; refuses: an HTTP status for every request but the first look."""

    url: str = ""
    repos: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[dict[str, Any]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refuses: int | None = None


@contextmanager
def hub_stand_in() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, value: object, status: int = 200) -> None:
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            if "/tree/" in self.path:
                rows = [
                    {"type": "file", "path": name, "size": len(raw), "oid": "0" * 40} for name, raw in hub.files.items()
                ]
                self._answer(rows)
            else:
                self._answer({"id": "x", "sha": "0" * 40, "siblings": []})

        def do_PUT(self) -> None:
            hub.blobs[self.path.rpartition("/")[2]] = self._body()
            self._answer({})

        def do_POST(self) -> None:
            body = self._body()
            hub.tokens.add(self.headers.get("Authorization") or "")
            if hub.refuses is not None:
                self._answer({"error": f"no: {self.headers.get('Authorization')}"}, hub.refuses)
            elif self.path == "/api/repos/create":
                told = json.loads(body)
                hub.repos[f"{told.get('organization')}/{told['name']}"] = told
                self._answer({"url": f"{hub.url}/{told.get('organization')}/{told['name']}"})
            elif self.path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                names = [one["path"] for one in json.loads(body)["files"]]
                modes = [
                    {"path": name, "uploadMode": "lfs" if name.endswith(".safetensors") else "regular",
                     "shouldIgnore": False, "oid": None}
                    for name in names
                ]  # fmt: skip
                self._answer({"files": modes})
            elif self.path.endswith("/info/lfs/objects/batch"):
                objects = [
                    {"oid": one["oid"], "size": one["size"],
                     "actions": {"upload": {"href": f"{hub.url}/blobs/{one['oid']}", "header": {}}}}
                    for one in json.loads(body)["objects"]
                ]  # fmt: skip
                self._answer({"transfer": "basic", "objects": objects})
            elif re.search(r"/commit/", self.path):
                self._commit(body)
            else:
                self._answer({"error": f"nobody expected {self.path}"}, 404)

        def _commit(self, body: bytes) -> None:
            for line in body.splitlines():
                row = json.loads(line)
                value = row["value"]
                if row["key"] == "header":
                    hub.commits.append(value)
                elif row["key"] == "file":
                    hub.files[value["path"]] = base64.b64decode(value["content"])
                elif row["key"] == "lfsFile":
                    hub.files[value["path"]] = hub.blobs[value["oid"]]
                elif row["key"] == "deletedFile":
                    del hub.files[value["path"]]
            repo = self.path.removeprefix("/api/models/").partition("/commit/")[0]
            self._answer({"commitUrl": f"{hub.url}/{repo}/commit/{'1' * 40}", "commitOid": "1" * 40, "success": True})

    return Handler
