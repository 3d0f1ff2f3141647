"""What the study's tests share: a real server in a process of its own, plain HTTP clients, a private PostgreSQL."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.plan import Created, Sources
from assay.study.study_records import Editor

CHROMIUM = "/usr/bin/chromium"
SERVE = (
    "import sys; from assay.study.server.app import Address, serve; "
    "serve(sys.argv[1], address=Address(port=int(sys.argv[2])), ready=lambda book: None)"
)
START_SECONDS = 180  # machines are shared


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A server in its own process."""

    place: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, self.place, str(self.port)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        if wait:
            self.wait()

    def wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError((self.process.stderr.read() if self.process.stderr else b"").decode())
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return
            time.sleep(0.02)
        raise RuntimeError("the server did not start")

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            if self.process.stderr:
                self.process.stderr.close()
            self.process = None


@contextlib.contextmanager
def served(place: str) -> Iterator[Served]:
    site = Served(place, free_port())
    site.start()
    try:
        yield site
    finally:
        site.kill(signal.SIGTERM)


@contextlib.contextmanager
def in_thread(place: str, **address: object) -> Iterator[Served]:
    """A server in a thread of this process: real HTTP on loopback, without the seconds of a start."""
    import asyncio
    import threading

    import uvicorn

    from assay.study.server.app import Address, build_app, open_study

    site = Served(place, free_port())
    servers: list[uvicorn.Server] = []
    failures: list[BaseException] = []

    async def run() -> None:
        async with open_study(place) as (desk, book):
            app = build_app(desk, book, address=Address(port=site.port, **address))  # type: ignore[arg-type]
            config = uvicorn.Config(app, port=site.port, log_level="warning", server_header=False, lifespan="off")
            servers.append(uvicorn.Server(config))
            await servers[0].serve()

    def target() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        while not failures and not (servers and servers[0].started):
            time.sleep(0.005)
        if failures:
            raise failures[0]
        yield site
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def field(self, name: str) -> str:
        """The value of a hidden field of the judging form (the undo form repeats names, so the ballot's come last)."""
        found = re.findall(rf'name="{name}" value="([^"]*)"', self.body)
        return found[-1] if found else ""


class Browser:
    """A browser without a screen: cookies, forms, redirects by hand; keeps every byte it was sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.seen: list[Answer] = []

    def send(
        self, method: str, path: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        body = None
        if fields is not None:
            body = urlencode(fields)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=body, headers={**sent, **(headers or {})})
            raw = connection.getresponse()
            answer = Answer(raw.status, raw.getheaders(), raw.read().decode("utf-8", "replace"))
        finally:
            connection.close()
        for key, value in answer.headers:
            if key.lower() == "set-cookie":
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.split(";")[0]
        self.seen.append(answer)
        return answer

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def enter(self, token: str) -> Answer:
        self.get(f"/s/{token}")
        return self.send("POST", "/enter", {"token": token})

    def vote(self, page: Answer, choice: str, **more: str) -> Answer:
        fields = {name: page.field(name) for name in ("csrf", "showing", "round")}
        return self.send("POST", "/vote", {**fields, "choice": choice, **more})

    def undo(self, page: Answer) -> Answer:
        form = page.body.split('action="/undo"')[1].split("</form>")[0]
        fields = dict(re.findall(r'name="(csrf|showing|round)" value="([^"]*)"', form))
        return self.send("POST", "/undo", fields)


def write_generations(
    folder: Path, prompts: int, systems: Sequence[str] = ("silent-fox-7b", "loud-owl-7b")
) -> list[Path]:
    """Generation files whose answers differ in words only, and whose systems have names no answer should say."""
    paths = []
    for number, system in enumerate(systems):
        path = folder / f"{system}.jsonl"
        rows = [
            {
                "id": f"p{n}",
                "prompt": f"Please answer question {n} about gardens.",
                "answer": f"{WORDS[(n + number) % len(WORDS)]} {WORDS[(3 * n + number) % len(WORDS)]} in bed {n}.",
                "category": "even" if n % 2 == 0 else "odd",
            }
            for n in range(prompts)
        ]
        path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


WORDS = (
    "Roses", "Beans", "Tulips", "Herbs", "Apples", "Leeks", "Peas", "Poppies", "Mint", "Sage", "Ferns", "Moss", "Pears",
)  # fmt: skip


def make_study(
    folder: Path, place: str, *, prompts: int = 8, editors: Sequence[Editor] | int = 2, **options: object
) -> Created:
    """A small study with its generation files in `folder`."""
    people = [Editor(name=f"editor-{n + 1}") for n in range(editors)] if isinstance(editors, int) else editors
    values = {"seed": 7, "repeats": 2, "attention": 1, **options}
    paths = write_generations(folder, prompts)
    return create_study(place, Sources(generations=tuple(paths)), people, config=StudyConfig.build(values))


POSTGRES = next((p for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


class Cluster:
    """A private PostgreSQL in a folder, run as a user that is not root, on a socket and a loopback port of its own."""

    def __init__(self, folder: Path) -> None:
        assert POSTGRES is not None
        self.folder, self.port = folder, free_port()
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        folder.chmod(0o700)
        self._run("initdb", "-D", str(self.data), "-U", "assay", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")

    def _command(self, name: str, *rest: str) -> list[str]:
        command = [str(POSTGRES / name), *rest]  # type: ignore[operator]
        return (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
            if os.getuid() == 0
            else command
        )

    def _run(self, name: str, *rest: str) -> None:
        done = subprocess.run(self._command(name, *rest), capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr or done.stdout}")

    def start(self) -> None:
        options = ["-D", str(self.data), "-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command("postgres", *options), stdout=log, stderr=log, cwd="/")
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        command = self._command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
        return subprocess.run(command, cwd="/", check=False).returncode == 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # an immediate shutdown
        self.process.wait()

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children: no shutdown, no checkpoint."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        self.process.kill()
        for pid in map(int, listed.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def url(self, schema: str) -> str:
        """A study's address: a schema of its own in one database."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "assay", "-d", "postgres")
        self._run("psql", *where, "-qc", f"CREATE SCHEMA {schema}")
        return f"postgresql://assay@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"


def cannot_run_postgres() -> str | None:
    """Why PostgreSQL cannot be started here; None where it can."""
    if POSTGRES is None:
        return "PostgreSQL is not installed (apt-get install postgresql): the same tests ran on SQLite only"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL does not run as root, and setpriv is not there to become another user"
    return None
