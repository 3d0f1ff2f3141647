"""No acknowledged vote is ever lost: SIGKILL of server and database under load, full disks."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from assay.errors import StudyError
from assay.study import read_votes
from assay.study.plan import Created
from assay.study.program_client import JudgeClient
from assay.study.store.closing import close_study
from assay.study.store.database import open_database, tables
from assay.study.store.verification import verify
from assay.study.study_records import Editor
from tests.study.harness import Browser, Cluster, Served, cannot_run_postgres, make_study, served

Acknowledged = dict[tuple[str, int], str]


class Voter(threading.Thread):
    """A judge who votes without pause, undoes now and then, and writes down what was acknowledged."""

    def __init__(self, link: str, seed: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.link, self.random, self.stop_event = link, random.Random(seed), stop
        self.acknowledged: Acknowledged = {}
        self.undone: set[tuple[str, int]] = set()
        self.failure: BaseException | None = None

    def client(self) -> JudgeClient:
        return JudgeClient(self.link, patience=240)

    def run(self) -> None:
        try:
            client = self.client()
            while not self.stop_event.is_set() and (question := client.question()) is not None:
                if self.random.random() < 0.15 and client._last is not None:
                    taken = client._last
                    client.undo()
                    self.undone.add(taken)
                    continue
                choice = self.random.choice(("left", "right", "tie", "both_bad", "abstain"))
                client.vote(question, choice, ms=1)  # type: ignore[arg-type]
                self.acknowledged[question.showing, question.round] = choice
            client.close()
        except BaseException as error:
            self.failure = error


@contextmanager
def voters(site: Served, made: Created):
    stop = threading.Event()
    tokens = [token for name, token in made.tokens.items() if name]
    with voting([Voter(f"{site.base}/s/{token}", seed, stop) for seed, token in enumerate(tokens)], stop) as crew:
        yield crew


@contextmanager
def voting(crew: list[Voter], stop: threading.Event):
    """The crew at work, until the body ends."""
    for voter in crew:
        voter.start()
    yield crew
    stop.set()
    for voter in crew:
        voter.join(timeout=300)
        assert voter.failure is None, voter.failure


def await_votes(crew: list[Voter], more: int) -> None:
    """Until the crew has had `more` votes acknowledged: the load is there, however slow the machine."""
    goal = sum(len(voter.acknowledged) for voter in crew) + more
    end = time.monotonic() + 240
    while sum(len(voter.acknowledged) for voter in crew) < goal:
        assert all(voter.failure is None for voter in crew), [voter.failure for voter in crew]
        assert time.monotonic() < end
        time.sleep(0.01)


def assert_nothing_lost(place: str, crew: list[Voter]) -> int:
    assert verify(place) == []
    with closing(open_database(place)) as database, database.begin() as connection:
        acts = tables.votes.c
        rows = connection.execute(select(acts.showing, acts.round, acts.action, acts.choice)).all()
    stored = {(showing, round_): choice for showing, round_, action, choice in rows if action == "vote"}
    undone = {(showing, round_) for showing, round_, action, _ in rows if action == "undo"}
    assert len(rows) == len(stored) + len(undone)  # nothing twice
    for voter in crew:
        for act, choice in voter.acknowledged.items():
            assert stored[act] == choice
        assert voter.undone <= undone
    acknowledged = sum(len(voter.acknowledged) for voter in crew)
    assert acknowledged <= len(stored) <= acknowledged + len(crew)  # at most one unanswered press each
    close_study(place)
    assert len(read_votes(place)) == len(stored) - len(undone)
    return acknowledged


def kill_server_in_a_loop(tmp_path: Path, place: str, *, kills: int, prompts: int, editors: int = 6) -> int:
    people = [Editor(name=f"bot-{n}", judge="simulated") for n in range(editors)]
    made = make_study(tmp_path, place, prompts=prompts, editors=people)
    site = Served(place, port=0)
    from tests.study.harness import free_port

    site.port = free_port()
    site.start()
    rng = random.Random(1)
    with voters(site, made) as crew:
        for _ in range(kills):
            await_votes(crew, 20)
            time.sleep(0.3 * rng.random())
            site.kill(signal.SIGKILL)
            site.start()
        await_votes(crew, 5)
    site.kill(signal.SIGTERM)
    count = assert_nothing_lost(place, crew)
    assert count >= 20 * kills, count
    return count


def test_killing_the_server_under_load_loses_nothing_acknowledged(tmp_path, sqlite_place) -> None:
    kill_server_in_a_loop(tmp_path, sqlite_place, kills=3, prompts=300)


@pytest.mark.slow
def test_killing_the_server_thirty_times_loses_nothing_acknowledged(tmp_path, place) -> None:
    kill_server_in_a_loop(tmp_path, place, kills=30, prompts=1200)


@pytest.mark.slow
def test_killing_postgresql_under_load_loses_nothing_acknowledged(tmp_path) -> None:
    reason = cannot_run_postgres()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="assay-pg-") as name:
        Path(name).chmod(0o755)
        own = Cluster(Path(name) / "cluster")
        own.start()
        place = own.url("study")
        people = [Editor(name=f"bot-{n}", judge="simulated") for n in range(6)]
        made = make_study(tmp_path, place, prompts=500, editors=people)
        rng = random.Random(2)
        with served(place) as site, voters(site, made) as crew:
            for _ in range(10):
                await_votes(crew, 20)
                time.sleep(0.3 * rng.random())
                own.kill()
                own.start()
            await_votes(crew, 5)
        assert assert_nothing_lost(place, crew) >= 200
        own.stop()


def fill_by_limit(site: Served):  # type: ignore[no-untyped-def]
    """No file of the server may grow: what a quota does."""
    assert site.process is not None
    pid = site.process.pid
    wal = Path(f"{site.place}-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal, resource.RLIM_INFINITY))
    return lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def fill_by_file(site: Served):  # type: ignore[no-untyped-def]
    """The disk itself is full."""
    ballast = Path(site.place).parent / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (4096, 64):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue
    return ballast.unlink


@contextmanager
def small_disk(folder: Path):
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk could be mounted here ({done.stderr.strip()}); the quota test covers the same")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize("how", [fill_by_limit, fill_by_file])
def test_a_full_disk_is_said_so_and_the_study_goes_on_when_there_is_room(tmp_path, how) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder) if how is fill_by_file else contextmanager(lambda: (yield folder.mkdir()))():
        place = str(folder / "study.db")
        made = make_study(tmp_path, place, prompts=40)
        with served(place) as site:
            anna = Browser(site.port)
            anna.enter(made.tokens["editor-1"])
            kept = 0
            for _ in range(5):
                assert anna.vote(anna.get("/judge"), "left").status == 303
                kept += 1
            free = how(site)
            page = anna.get("/judge")
            refused = None
            for _ in range(60):  # SQLite may still have room in the pages it owns
                refused = anna.vote(page, "tie", comment="x" * 4000)
                if refused.status != 303:
                    break
                kept += 1
                page = anna.get("/judge")
            assert refused is not None
            assert refused.status == 503, refused.body
            assert "Not saved yet" in refused.body
            free()
            assert anna.vote(page, "right").status == 303
            kept += 1
            assert anna.vote(anna.get("/judge"), "left").status == 303
            kept += 1
        assert verify(place) == []
        close_study(place)
        votes = read_votes(place)
        assert len(votes) == kept
        assert [vote.choice for vote in votes[-2:]] == ["right", "left"]


def test_creating_a_study_on_a_full_disk_leaves_nothing(tmp_path) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder):
        (folder / "ballast").write_bytes(b"x" * (4 * 1024 * 1024 - 48 * 1024))
        with pytest.raises(StudyError, match="full"):
            make_study(tmp_path, str(folder / "study.db"), prompts=200)
        assert [path.name for path in folder.iterdir()] == ["ballast"]


def test_votes_survive_sigkill_right_after_the_answer(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    site = Served(sqlite_place, port=0)
    from tests.study.harness import free_port

    site.port = free_port()
    for choice in ("left", "right"):
        site.start()
        anna = Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        page = anna.get("/judge")
        assert anna.vote(page, choice).status == 303
        assert site.process is not None
        os.kill(site.process.pid, signal.SIGKILL)
        site.kill()
    close_study(sqlite_place)
    assert [vote.choice for vote in read_votes(sqlite_place)] == ["left", "right"]
