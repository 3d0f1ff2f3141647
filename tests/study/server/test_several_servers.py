"""Several servers on one study in PostgreSQL: an editor may be sent to any of them, and each act counts once."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from assay.errors import StudyError
from assay.study import read_votes
from assay.study.exchange import import_votes, write_tasks
from assay.study.program_client import JudgeClient
from assay.study.store.closing import close_study
from assay.study.store.database import open_database, share_on_postgres, take_on_postgres
from assay.study.store.open_study import read_progress
from assay.study.store.verification import verify
from assay.study.study_records import Choice, Editor
from tests.study.conftest import NUMBERS
from tests.study.harness import Browser, Cluster, Served, free_port, in_thread, make_study
from tests.study.server.test_durability import Voter, assert_nothing_lost, await_votes, voting

BOT = [Editor(name="bot", judge="simulated")]


@pytest.fixture
def shared(cluster: Cluster) -> str:
    """Where a study can be made that several servers share."""
    return cluster.url(f"shared_{next(NUMBERS)}")


def elsewhere(editor: Browser, site: Served) -> Browser:
    """The same browser, whose next requests a balancer sends to another server."""
    editor.port = site.port
    return editor


def test_an_editor_goes_on_at_the_other_server(tmp_path: Path, shared: str) -> None:
    made = make_study(tmp_path, shared)
    with in_thread(shared) as one, in_thread(shared) as other:
        anna = Browser(one.port)
        assert anna.enter(made.tokens["editor-1"]).status == 303
        seen = []
        for turn in range(6):
            page = elsewhere(anna, (one, other)[turn % 2]).get("/judge")
            seen.append(page.field("showing"))
            assert elsewhere(anna, (other, one)[turn % 2]).vote(page, "left").status == 303
        assert len(set(seen)) == 6
        # Taken back where the other server kept it, and judged again under its next round.
        assert elsewhere(anna, one).undo(anna.get("/judge")).status == 303
        again = elsewhere(anna, other).get("/judge")
        assert (again.field("showing"), again.field("round")) == (seen[-1], "1")
        assert elsewhere(anna, one).vote(again, "right").status == 303
        # An old page sent again says what stands, at either server.
        for site in (one, other):
            assert elsewhere(anna, site).vote(again, "tie").header("location") == "/judge?note=kept"
        assert [p.done for p in read_progress(shared) if p.editor.name == "editor-1"] == [6]
    assert verify(shared) == []
    close_study(shared)
    assert Counter(vote.choice for vote in read_votes(shared)) == {"left": 5, "right": 1}


def test_one_press_at_two_servers_in_the_same_instant_is_one_vote(tmp_path: Path, shared: str) -> None:
    made = make_study(tmp_path, shared, editors=BOT, prompts=20)
    outcomes: Counter[tuple[str, ...]] = Counter()
    with in_thread(shared) as one, in_thread(shared) as other, ThreadPoolExecutor(2) as pool:
        link = made.tokens["bot"]
        # Without patience: what a server could not do at once would be sent again, and nothing seen of it.
        clients = [JudgeClient(f"{site.base}/s/{link}", patience=0) for site in (one, other)]
        barrier = threading.Barrier(2)

        def press(client: JudgeClient, choice: Choice) -> str:
            question = client.question()
            assert question is not None
            barrier.wait(60)
            return client.vote(question, choice)

        for turn in range(20):
            choices: tuple[Choice, Choice] = ("left", "left") if turn % 2 else ("left", "right")
            said = tuple(sorted(pool.map(press, clients, choices)))
            assert said == (("recorded", "repeated") if turn % 2 else ("differs", "recorded"))
            outcomes[said] += 1
        for client in clients:
            client.close()
    assert sum(outcomes.values()) == 20
    assert verify(shared) == []
    assert [p.done for p in read_progress(shared)] == [20]


def test_an_import_wants_the_study_for_itself(tmp_path: Path, shared: str) -> None:
    make_study(tmp_path, shared, editors=1)
    write_tasks(shared, tmp_path / "tasks", tool="csv")
    sheet = tmp_path / "tasks" / "01-editor-1.csv"
    with (
        in_thread(shared),
        in_thread(shared),
        pytest.raises(StudyError, match="another server serves this study already"),
    ):
        import_votes(shared, [sheet], tool="csv")
    with closing(open_database(shared, hold="one")) as importing:
        with importing.begin() as connection:
            take_on_postgres(connection, shared)
        with pytest.raises(StudyError, match="votes are being imported into it"), in_thread(shared):
            pass
    with in_thread(shared), closing(open_database(shared)) as database, database.begin() as connection:
        share_on_postgres(connection, shared)


class Balanced(JudgeClient):
    """A judge behind a balancer: each request goes to any of the servers, and what is not answered to another."""

    def __init__(self, links: Mapping[str, str], seed: int, *, patience: float) -> None:
        self._random, self._places = random.Random(seed), sorted(links)
        super().__init__(links[self._places[0]], patience=patience)

    def _once(self, method: str, path: str, fields: Mapping[str, str] | None) -> tuple[int, Mapping[str, str], bytes]:
        self.close()
        self._place = self._random.choice(self._places)
        return super()._once(method, path, fields)


class BalancedVoter(Voter):
    """Votes over all servers, and writes down what was acknowledged."""

    def __init__(self, sites: list[Served], token: str, seed: int, stop: threading.Event) -> None:
        super().__init__("", seed, stop)
        self.links = {f"127.0.0.1:{site.port}": f"{site.base}/s/{token}" for site in sites}

    def client(self) -> JudgeClient:
        return Balanced(self.links, self.random.randrange(1 << 30), patience=240)


def share(tmp_path: Path, place: str, *, kills: int, votes: int, editors: int, prompts: int) -> int:
    people = [Editor(name=f"bot-{n}", judge="simulated") for n in range(editors)]
    made = make_study(tmp_path, place, prompts=prompts, editors=people)
    sites = [Served(place, free_port()) for _ in range(2)]
    for site in sites:
        site.start(wait=False)
    for site in sites:
        site.wait()
    stop = threading.Event()
    tokens = [token for name, token in made.tokens.items() if name]
    with voting([BalancedVoter(sites, token, seed, stop) for seed, token in enumerate(tokens)], stop) as crew:
        for turn in range(kills):
            await_votes(crew, votes)
            # One is always there: the study never stops for the death of the other.
            sites[turn % 2].kill(signal.SIGKILL)
            await_votes(crew, votes)
            sites[turn % 2].start()
        await_votes(crew, votes)
    for site in sites:
        site.kill(signal.SIGTERM)
    return assert_nothing_lost(place, crew)


@pytest.mark.slow
def test_two_servers_under_load_lose_and_double_nothing_and_outlive_each_other(tmp_path: Path, shared: str) -> None:
    assert share(tmp_path, shared, kills=10, votes=40, editors=12, prompts=400) >= 10 * 2 * 40
