"""The served study over real HTTP, on both databases: links, judging, undo, limits, the owner's page, refusals."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest

from assay.errors import StudyError
from assay.study import read_votes
from assay.study.program_client import JudgeClient
from assay.study.server.sessions import Limiter
from assay.study.server.web import HEADERS
from assay.study.store.closing import close_study
from assay.study.store.links import renew_link, revoke_link
from assay.study.store.open_study import read_progress
from assay.study.store.verification import verify
from assay.study.study_address import is_url
from assay.study.study_records import Editor
from tests.study.harness import Browser, in_thread, make_study

CHOICES = ("left", "right", "tie", "both_bad", "abstain")


def test_an_editor_judges_to_the_end_without_any_script(tmp_path, place) -> None:
    made = make_study(tmp_path, place, prompts=8, aspects=("helpful", "kind"))
    with in_thread(place) as site:
        anna = Browser(site.port)
        entered = anna.enter(made.tokens["editor-1"])
        assert (entered.status, entered.header("location")) == (303, "/judge")
        cookie = entered.header("set-cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        for number in range(11):
            page = anna.get("/judge")
            assert f'<h1 class="unseen">Item {number + 1} of 11</h1>' in page.body
            answer = anna.vote(
                page, CHOICES[number % 5], comment=f" note\r\n{number} ", ms="700", **{"aspect-1": "right"}
            )
            assert (answer.status, answer.header("location")) == (303, "/judge")
        assert "Thank you, editor-1" in anna.get("/judge").body
    assert [(p.done, p.finished) for p in read_progress(place)] == [(11, True), (0, False)]
    close_study(place)
    votes = read_votes(place)
    assert [vote.choice for vote in votes] == [CHOICES[n % 5] for n in range(11)]
    assert [vote.comment for vote in votes] == [f"note\n{n}" for n in range(11)]
    assert {tuple(vote.ratings.items()) for vote in votes} == {(("kind", "right"),)}
    assert {(vote.ms, vote.ms_source) for vote in votes} == {(700, "page")}
    assert verify(place) == []


def test_pressing_twice_undoing_and_resuming_elsewhere(tmp_path, place) -> None:
    made = make_study(tmp_path, place)
    with in_thread(place) as site:
        anna = Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        first = anna.get("/judge")
        assert anna.vote(first, "left", comment="mine").header("location") == "/judge"
        assert anna.vote(first, "left", comment="mine").header("location") == "/judge"
        assert anna.vote(first, "right").header("location") == "/judge?note=kept"
        assert "The first judgement stands" in anna.get("/judge?note=kept").body
        second = anna.get("/judge")
        assert second.field("showing") != first.field("showing")
        phone = Browser(site.port)  # the same link on another device goes on where the first stopped
        phone.enter(made.tokens["editor-1"])
        there = phone.get("/judge")
        assert there.field("showing") == second.field("showing")
        assert phone.undo(there).header("location") == "/judge?note=undone"
        assert phone.undo(there).header("location") == "/judge"  # the same press, arriving twice
        again = phone.get("/judge")
        assert (again.field("showing"), again.field("round")) == (first.field("showing"), "1")
        assert ">mine</textarea>" in again.body
        assert (
            anna.vote(second, "tie").header("location") == "/judge"
        )  # open in the other window: still theirs to judge
        assert phone.vote(again, "right").header("location") == "/judge"
        assert phone.undo(there).header("location") == "/judge"  # an old press: what stands now stays
        assert anna.undo(second).header("location") == "/judge"
    close_study(place)
    assert sorted(vote.choice for vote in read_votes(place)) == ["right", "tie"]


def test_simulated_judges_vote_over_the_same_addresses_and_are_labelled(tmp_path, place) -> None:
    people = [Editor(name="anna"), Editor(name="rule", judge="simulated"), Editor(name="lm", judge="llm")]
    made = make_study(tmp_path, place, editors=people, aspects=("kind",))
    with in_thread(place) as site:
        for name in ("rule", "lm"):
            client = JudgeClient(f"{site.base}/s/{made.tokens[name]}")
            for number, question in enumerate(client):
                assert set(map(type, (question.prompt, question.left, question.right))) == {str}
                if number == 4:
                    assert client.undo() == "recorded"
                    continue
                choice = "left" if len(question.left) > len(question.right) else "right"
                assert client.vote(question, choice, ratings={"kind": "tie"}, ms=5) == "recorded"
            client.close()
        human = Browser(site.port)
        human.enter(made.tokens["anna"])
        refused = human.send("GET", "/judge", headers={"Accept": "application/json"})
        assert refused.status == 406
        assert "prompt" not in json.loads(refused.body)
    close_study(place)
    votes = read_votes(place)
    assert {(vote.editor, vote.judge) for vote in votes} == {("rule", "simulated"), ("lm", "llm")}
    assert len(votes) == 22
    assert sum(vote.undone for vote in votes) == 2
    with pytest.raises(StudyError, match="not a personal link"):
        JudgeClient("http://127.0.0.1/judge")


def test_an_editor_who_abstains_from_everything_is_kept_as_such(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place, editors=[Editor(name="shy", judge="simulated")])
    with in_thread(sqlite_place) as site:
        client = JudgeClient(f"{site.base}/s/{made.tokens['shy']}")
        for question in client:
            client.vote(question, "abstain")
        client.close()
    close_study(sqlite_place)
    assert {vote.choice for vote in read_votes(sqlite_place)} == {"abstain"}
    assert any("One editor" in note or "No human" in note for note in made.notes)


def test_what_is_not_a_vote_is_refused_and_nothing_is_written(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        anna, ben = Browser(site.port), Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        ben.enter(made.tokens["editor-2"])
        page, other = anna.get("/judge"), ben.get("/judge")
        fields = {name: page.field(name) for name in ("csrf", "showing", "round")} | {"choice": "left"}

        def post(**change: str) -> int:
            return anna.send("POST", "/vote", {**fields, **change}).status

        assert post(csrf="") == 403
        assert post(csrf=other.field("csrf")) == 403
        assert post(choice="winner") == 422
        assert post(choice="") == 422
        assert post(comment="x" * 5001) == 422
        assert post(comment="x" * 70_000) == 413
        moved = anna.send("POST", "/vote", {**fields, "showing": other.field("showing")})
        assert moved.header("location") == "/judge?note=moved"  # another editor's item
        assert anna.send("POST", "/vote", {**fields, "round": "7"}).header("location") == "/judge?note=moved"
        assert anna.send("POST", "/vote", {**fields, "round": "-1"}).header("location") == "/judge?note=moved"
        foreign = {"Origin": "http://evil.example"}
        assert anna.send("POST", "/vote", fields, headers=foreign).status == 403
        assert anna.send("POST", "/vote", fields, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
        assert anna.send("GET", "/vote").status == 405
        assert anna.send("DELETE", "/vote").status == 405
        assert anna.send("POST", "/vote", headers={"Content-Type": "application/json"}).status == 415
        assert anna.send("GET", "/judge", headers={"Host": "evil.example"}).status == 400
        assert anna.get("/nothing").status == 404
        assert anna.get("/static/../app.py").status == 404
        assert anna.get("/owner").status == 401
        assert Browser(site.port).get("/judge").status == 401
    assert [p.done for p in read_progress(sqlite_place)] == [0, 0]


def test_links_that_are_over_open_nothing_and_end_their_sessions(tmp_path, place) -> None:
    made = make_study(tmp_path, place)
    with in_thread(place) as site:
        anna = Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        page = anna.get("/judge")
        revoke_link(place, "editor-1")  # from another process than the server, as the command does
        assert anna.get("/judge").status == 401
        assert anna.vote(page, "left").status == 401
        assert anna.get(f"/s/{made.tokens['editor-1']}").status == 410
        assert "revoked" in anna.seen[-1].body
        assert anna.get("/s/unknown").status == 404
        fresh = renew_link(place, "editor-1", days=30)
        assert anna.enter(fresh).status == 303
        assert anna.vote(anna.get("/judge"), "left").status == 303
        short = renew_link(place, "editor-1", days=1e-6)
        time.sleep(0.2)
        assert anna.get(f"/s/{short}").status == 410
        assert "expired" in anna.seen[-1].body
        assert anna.get("/judge").status == 401


def test_the_owner_sees_progress_and_closes_and_nothing_else(tmp_path, place) -> None:
    made = make_study(tmp_path, place)
    with in_thread(place) as site:
        anna, owner = Browser(site.port), Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        for choice in ("left", "right", "left"):
            anna.vote(anna.get("/judge"), choice)
        assert owner.enter(made.tokens[""]).header("location") == "/owner"
        page = owner.get("/owner")
        assert "3 of 11" in page.body
        assert owner.get("/judge").status == 401  # the owner is no editor
        csrf = page.field("csrf")
        renewed = owner.send("POST", "/owner/link", {"csrf": csrf, "editor": "editor-2", "act": "renew"})
        fresh = re.search(r"/s/([\w-]{40,})", renewed.body)
        assert fresh is not None
        assert Browser(site.port).enter(fresh[1]).status == 303
        assert Browser(site.port).get(f"/s/{made.tokens['editor-2']}").status == 410
        for editor, act in (("editor-1", "shout"), ("editor-1", ""), ("nobody", "renew")):
            assert owner.send("POST", "/owner/link", {"csrf": csrf, "editor": editor, "act": act}).status == 422
        assert anna.get("/judge").status == 200
        assert owner.send("POST", "/owner/link", {"csrf": csrf, "editor": "editor-1", "act": "revoke"}).status == 303
        assert anna.get("/judge").status == 401
        assert owner.send("POST", "/owner/close", {"csrf": csrf, "word": "yes"}).status == 422
        assert owner.send("POST", "/owner/close", {"csrf": "", "word": "close"}).status == 403
        assert owner.send("POST", "/owner/close", {"csrf": csrf, "word": "Close"}).status == 303
        assert "The voting ended" in owner.get("/owner").body
        shown = "".join(answer.body for answer in owner.seen)
        for secret in ("silent-fox", "loud-owl", "both_bad", "abstain", '"left"'):
            assert secret not in shown
        late = Browser(site.port)
        late.enter(fresh[1])
        assert late.get("/judge").status == 409
        assert "The study is closed" in late.seen[-1].body
    assert len(read_votes(place)) == 3


def test_every_answer_carries_the_strict_headers_and_no_page_holds_script_or_style(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        anna, owner = Browser(site.port), Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        page = anna.get("/judge")
        anna.vote(page, "left")
        owner.enter(made.tokens[""])
        owner.get("/owner")
        anna.get("/nothing")
        for name in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.body)):
            assert anna.get(name).status == 200
        for answer in (*anna.seen, *owner.seen):
            for name, value in HEADERS.items():
                assert answer.header(name) == value
            assert answer.header("server") == ""
            assert answer.header("cache-control") in ("no-store", "public, max-age=86400")
            if "html" in answer.header("content-type"):
                assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", answer.body)


def test_our_own_failure_has_the_strict_headers_too(tmp_path, sqlite_place, monkeypatch) -> None:
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        anna = Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        page = anna.get("/judge")

        def fail(*_words: object, **_more: object) -> None:
            raise RuntimeError("a slip of ours, with silent-fox in it")

        monkeypatch.setattr("assay.study.store.votes.record_vote", fail)
        answer = anna.vote(page, "left")
        assert answer.status == 500
        assert "silent-fox" not in answer.body
        for name, value in HEADERS.items():
            assert answer.header(name) == value
        assert answer.header("cache-control") == "no-store"
    assert [p.done for p in read_progress(sqlite_place)] == [0, 0]


def test_no_answer_sends_a_link_elsewhere(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    link = f"/s/{made.tokens['editor-1']}/"
    with in_thread(sqlite_place, url="https://study.example.org") as site:
        anna = Browser(site.port)
        for path in (link, "/judge/", "/static", "//evil.example/judge/"):
            answer = anna.send("GET", path, headers={"Host": "study.example.org"})
            assert answer.header("location") == ""  # such as http://study.example.org/s/TOKEN, in the clear
            assert answer.status == (200 if path == link else 404)


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path, sqlite_place, monkeypatch, caplog) -> None:
    monkeypatch.setattr("assay.study.server.web.SLOWEST_BODY_SECONDS", 0.2)
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        head = (
            f"POST /enter HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: 500\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken="
        ).encode()
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as slow:
            slow.sendall(head)
            assert slow.recv(100).startswith(b"HTTP/1.1 408")
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as gone:
            gone.sendall(head)
        assert Browser(site.port).enter(made.tokens["editor-1"]).status == 303
    assert "Traceback" not in caplog.text


def test_behind_tls_the_cookie_is_secure_and_the_public_name_is_known(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place, url="https://study.example.org") as site:
        anna = Browser(site.port)
        answer = anna.send("POST", "/enter", {"token": made.tokens["editor-1"]}, headers={"Host": "study.example.org"})
        assert answer.header("set-cookie").startswith("__Host-assay_judge_")
        assert "Secure" in answer.header("set-cookie")


def test_guessing_links_is_slowed_down_and_honest_editors_are_not(tmp_path, sqlite_place, monkeypatch) -> None:
    monkeypatch.setattr("assay.study.server.sessions.FAILURES_RATE", 1e-6)  # so that a slow machine sees the same
    monkeypatch.setattr("assay.study.server.sessions.REQUESTS_RATE", 1e-6)
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        guesser, anna = Browser(site.port), Browser(site.port)
        assert anna.enter(made.tokens["editor-1"]).status == 303
        statuses = [guesser.get(f"/s/guess{number}").status for number in range(22)]
        assert statuses == [404] * 20 + [429] * 2
        assert guesser.seen[-1].header("retry-after") == "2"
        assert Browser(site.port).get("/judge").status == 429  # cookies are guessed no faster than links
        assert anna.vote(anna.get("/judge"), "left").status == 303  # same address, own session
        flood = [anna.get("/judge").status for _ in range(120)]
        assert flood == [200] * 118 + [429] * 2


def test_limits_refill_with_time() -> None:
    now = [0.0]
    limiter = Limiter(rate=2, burst=3, keys=2, clock=lambda: now[0])
    assert [limiter.allows("a") for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [limiter.allows("a") for _ in range(2)] == [True, False]
    assert limiter.allows("b")
    assert limiter.allows("c")  # "a" is forgotten: memory stays bounded
    assert limiter.allows("a")


def test_two_servers_on_one_file_are_refused(tmp_path, sqlite_place) -> None:
    make_study(tmp_path, sqlite_place)
    busy = pytest.raises(StudyError, match="another server serves this study already")
    with in_thread(sqlite_place), busy, in_thread(sqlite_place):
        pass
    with in_thread(sqlite_place):
        pass


def test_a_study_changed_behind_the_programs_back_is_not_served(tmp_path, sqlite_place) -> None:
    import sqlite3

    make_study(tmp_path, sqlite_place)
    with sqlite3.connect(sqlite_place) as connection:
        connection.execute("DROP TRIGGER assay_plan_no_update")
        connection.execute("UPDATE assay_plan SET left_side = 'b'")
    connection.close()
    with pytest.raises(StudyError, match="sealed plan was changed"), in_thread(sqlite_place):
        pass


def test_time_in_view_is_the_pages_where_possible_and_the_servers_otherwise(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place)
    with in_thread(sqlite_place) as site:
        anna = Browser(site.port)
        anna.enter(made.tokens["editor-1"])
        for told in ("1500", "99999999", "", "-5", "1e9"):
            anna.vote(anna.get("/judge"), "left", ms=told)
    close_study(sqlite_place)
    found = [(vote.ms, vote.ms_source) for vote in read_votes(sqlite_place)]
    assert found[0] == (1500, "page")
    assert all(source == "server" and ms is not None and ms < 1500 for ms, source in found[1:])


def test_a_server_on_postgresql_says_so_when_the_database_is_gone_and_goes_on_when_it_is_back(tmp_path, place) -> None:
    if not is_url(place):
        pytest.skip("the same for SQLite is the full disk in test_durability")
    import tempfile
    from pathlib import Path

    from tests.study.conftest import NUMBERS  # a cluster of its own: the session's is not for killing
    from tests.study.harness import Cluster

    with tempfile.TemporaryDirectory(prefix="assay-pg-") as name:
        Path(name).chmod(0o755)
        own = Cluster(Path(name) / "cluster")
        own.start()
        url = own.url(f"gone_{next(NUMBERS)}")
        made = make_study(tmp_path, url)
        with in_thread(url) as site:
            anna = Browser(site.port)
            anna.enter(made.tokens["editor-1"])
            page = anna.get("/judge")
            assert anna.vote(page, "left").status == 303
            page = anna.get("/judge")
            own.kill()
            gone = anna.vote(page, "tie")
            assert gone.status == 503
            assert "counts once" in gone.body
            own.start()
            assert anna.vote(page, "tie").status == 303
        close_study(url)
        assert [vote.choice for vote in read_votes(url)] == ["left", "tie"]
        own.stop()
