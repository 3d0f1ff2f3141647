"""Fifty editors on one study server: how long a vote takes until it is durable, and whether any is lost.

    python benchmarks/bench_study.py                      # SQLite
    python benchmarks/bench_study.py --place postgresql://user@host/database?options=-csearch_path%3Dbench

Real HTTP on loopback, the server in a process of its own, this process the editors (they share the machine's cores).
An editor does what a browser without script does: POST /vote, follow to GET /judge, take the form from the page.
  people   each editor thinks 0 to 2 seconds between votes
  at once  all press in the same instant, then all read the next page, round after round
  no rest  each presses as soon as the page is there: the server is saturated, latency is queueing
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from assay.study import create_study, read_votes
from assay.study.config import StudyConfig
from assay.study.plan import Created, Sources
from assay.study.store.closing import close_study
from assay.study.store.verification import verify
from assay.study.study_records import Editor

RESULTS = Path(__file__).parent / "results"
SERVE = (
    "import sys; from assay.study.server.app import Address, serve; "
    "serve(sys.argv[1], address=Address(port=int(sys.argv[2])), ready=lambda book: None)"
)
FIELD = re.compile(rb'name="(csrf|showing|round)" value="([^"]*)"')
MOST_VOTES = 400
SENTENCE = "The tap drips because a washer is worn; **close the valve**, open the tap, and change it. "


class Page:
    """One editor: a kept-alive connection, the cookie, the form of the page in view, and every latency."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.cookie = ""
        self.form: dict[str, str] = {}
        self.finished = False
        self.kept: set[tuple[str, str]] = set()
        self.vote_ms: list[float] = []
        self.page_ms: list[float] = []

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        status, headers, _ = await self.request("POST", "/enter", {"token": self.token})
        assert status == 303, status
        self.cookie = re.search(rb"(?i)set-cookie: ([^;]+)", headers)[1].decode()  # type: ignore[index]
        await self.read()
        self.page_ms.clear()

    async def request(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, bytes, bytes]:
        body = urlencode(fields).encode() if fields else b""
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if fields else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookie}\r\n{kind}"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        headers = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", headers)
        answer = await self.reader.readexactly(int(length[1])) if length else b""
        return int(headers[9:12]), headers, answer

    async def read(self) -> None:
        start = time.perf_counter()
        status, _, body = await self.request("GET", "/judge")
        self.page_ms.append(1000 * (time.perf_counter() - start))
        assert status == 200, (status, body[:300])
        self.finished = b'id="ballot"' not in body
        self.form = {name.decode(): value.decode() for name, value in FIELD.findall(body)}

    async def vote(self) -> None:
        fields = {**self.form, "choice": random.choice(("left", "right", "tie")), "ms": "900"}
        start = time.perf_counter()
        status, _, body = await self.request("POST", "/vote", fields)
        self.vote_ms.append(1000 * (time.perf_counter() - start))
        assert status == 303, (status, body[:300])
        self.kept.add((fields["showing"], fields["round"]))


async def people(pages: list[Page], seconds: float) -> None:
    end = time.monotonic() + seconds

    async def one(page: Page) -> None:
        while time.monotonic() < end and not page.finished:
            await asyncio.sleep(2 * random.random())
            await page.vote()
            await page.read()

    await asyncio.gather(*map(one, pages))


async def at_once(pages: list[Page], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not any(page.finished for page in pages):
        await asyncio.gather(*(page.vote() for page in pages))
        await asyncio.gather(*(page.read() for page in pages))
        await asyncio.sleep(0.2)


async def no_rest(pages: list[Page], seconds: float) -> None:
    end = time.monotonic() + seconds

    async def one(page: Page) -> None:
        while time.monotonic() < end and not page.finished:
            await page.vote()
            await page.read()

    await asyncio.gather(*map(one, pages))


LOADS = {"people": people, "at once": at_once, "no rest": no_rest}


async def measure(port: int, tokens: list[str], seconds: float) -> tuple[list[dict[str, Any]], int]:
    pages = [Page(port, token) for token in tokens]
    for page in pages:
        await page.open()
    rows = []
    for name, load in LOADS.items():
        for page in pages:
            page.vote_ms.clear()
            page.page_ms.clear()
        start = time.perf_counter()
        await load(pages, seconds)
        taken = time.perf_counter() - start
        votes = sorted(ms for page in pages for ms in page.vote_ms)
        reads = sorted(ms for page in pages for ms in page.page_ms)
        rows.append(
            {
                "load": name,
                "votes": len(votes),
                "votes_per_second": round(len(votes) / taken, 1),
                "vote_ms": quantiles(votes),
                "page_ms": quantiles(reads),
            }
        )
    for page in pages:
        page.writer.close()
    return rows, sum(len(page.kept) for page in pages)


def quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(values[-1], 1),
    }


def make(folder: Path, place: str, editors: int) -> Created:
    rows = [
        {
            "prompt": f"Question {n} about a dripping tap?",
            "answer_a": SENTENCE * (5 + n % 7),
            "answer_b": SENTENCE * (4 + n % 9) + "Done.",
        }
        for n in range(MOST_VOTES)
    ]
    pairs = folder / "pairs.jsonl"
    pairs.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    people = [Editor(name=f"editor-{n}") for n in range(editors)]
    return create_study(place, Sources(pairs=pairs), people, config=StudyConfig(repeats=0, attention=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--place", help="a PostgreSQL URL; a temporary SQLite file if not given")
    parser.add_argument("--editors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0, help="per load")
    parser.add_argument("--name", default="study", help="of the file in benchmarks/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, socket.socket() as probe:
        folder = Path(name)
        place = options.place or str(folder / "study.db")
        made = make(folder, place, options.editors)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = subprocess.Popen([sys.executable, "-c", SERVE, place, str(port)])
        try:
            wait(port)
            tokens = [token for who, token in made.tokens.items() if who]
            rows, acknowledged = asyncio.run(measure(port, tokens, options.seconds))
        finally:
            server.kill()  # SIGKILL: what was acknowledged must be there anyway
            server.wait()
        close_study(place)
        stored, problems = len(read_votes(place)), verify(place)
    report(rows, options, (acknowledged, stored), problems)
    if stored != acknowledged or problems:
        sys.exit(1)


def report(rows: list[dict[str, Any]], options: argparse.Namespace, kept: tuple[int, int], problems: list[str]) -> None:
    acknowledged, stored = kept
    print(
        f"{'load':10}{'votes':>7}{'votes/s':>9}{'vote p50':>10}{'p95':>8}{'p99':>8}{'max':>8}{'page p50':>10}{'p99':>8}"
    )
    for row in rows:
        vote, page = row["vote_ms"], row["page_ms"]
        print(
            f"{row['load']:10}{row['votes']:7}{row['votes_per_second']:9}{vote['p50']:10}{vote['p95']:8}{vote['p99']:8}"
            f"{vote['max']:8}{page['p50']:10}{page['p99']:8}"
        )
    trail = problems or "audit trail holds"
    print(f"acknowledged {acknowledged}, stored after SIGKILL {stored}, lost {acknowledged - stored}; {trail}")
    body = {
        "schema": "bench_study/1",
        "command": f"python benchmarks/bench_study.py --editors {options.editors} --seconds {options.seconds:g}",
        "database": "postgresql" if options.place else "sqlite",
        "editors": options.editors,
        "rows": rows,
        "acknowledged": acknowledged,
        "stored": stored,
        "machine": {
            "cores": os.cpu_count(),
            "load_average_at_end": os.getloadavg()[0],
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in ("starlette", "uvicorn", "sqlalchemy", "h11")},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{options.name}.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def wait(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
