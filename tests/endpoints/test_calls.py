"""Requests to a real server on this machine: when they are tried again, when no more are sent, and what stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from assay.endpoints.calls import CallLimits, Calls, Line, Request
from assay.endpoints.credential import Credential
from assay.endpoints.failure import AnswerError, Failure, ImpossibleError
from assay.endpoints.server_health import ANY_FAULT, SILENT_OR_REFUSING, ServerHealth
from tests.support.reward_server import Answer, Server
from tests.support.reward_server import Request as Came

TOKEN = "sesame-open-7391-and-more"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def calls_to(server: Server, *, health: ServerHealth | None = None, **limits: object) -> Calls:
    quick = {"backoff": 0.001, "concurrency": 2, "seconds": 20.0, "retries": 1} | limits
    given = CallLimits(**quick)  # type: ignore[arg-type]
    return Calls(server.url, given, credential=Credential(TOKEN), health=health or ServerHealth(8, ANY_FAULT))


def number(answer: object) -> float:
    if not isinstance(answer, dict) or "rewards" not in answer:
        raise AnswerError(f"no rewards in {answer}")
    return float(answer["rewards"][0])


async def ask(line: Line, text: str) -> float | Failure:
    body = {"query": [text], "prompts": [""], "labels": [""]}
    return await line.ask(Request(path="/get_reward", read=number, body=body))


def all_of(calls: Calls, items: list[str]) -> list[float | Failure]:
    with calls.each(items, ask) as answers:
        found = dict(answers)
    return [found[place] for place in range(len(items))]


def on(server: Server, texts: set[str], answer: Answer) -> None:
    """This answer to requests with one of these texts."""

    def fault(request: Came, own: Answer) -> Answer:
        return answer if request.body and request.body["query"][0] in texts else own

    server.fault = fault


def test_each_item_gets_its_own_answer_and_nothing_asks_nothing(server: Server) -> None:
    found = all_of(calls_to(server, concurrency=7), [str(n) for n in range(40)])
    assert found == [server.rule(str(n)) for n in range(40)]
    assert all_of(calls_to(server), []) == []


def test_a_fraction_of_a_second_is_waited_and_no_more(server: Server) -> None:
    faults = iter([Answer(status=429, headers={"Retry-After": "0.4"})])
    server.fault = lambda request, own: next(faults, own)
    start = time.monotonic()
    assert all_of(calls_to(server), ["a"]) == [server.rule("a")]
    assert 0.4 <= time.monotonic() - start < 10


def test_a_wait_that_is_not_granted_is_told_to_all_and_nothing_more_is_sent(server: Server) -> None:
    server.fault = lambda request, own: Answer({"detail": "quota"}, status=429, headers={"Retry-After": "86400"})
    found = all_of(calls_to(server, longest_wait=5.0), [str(n) for n in range(50)])
    said = "the server answered 429: quota, and asks to wait 86400 s; the longest wait is 5 s"
    assert set(found) == {Failure(said, "unsent")}
    assert len(server.requests) <= 2


def test_other_answers_than_failures_show_a_server_that_is_there(server: Server) -> None:
    """A row it does not take, an answer nobody can read: a judge's server is given up for silence alone."""
    texts = [str(n) for n in range(20)]
    on(server, set("0123456789"), Answer(status=500))
    health = ServerHealth(4, SILENT_OR_REFUSING)
    found = all_of(calls_to(server, health=health, retries=0, concurrency=1), texts)
    assert sum(isinstance(one, float) for one in found) == 10
    on(server, set("0123456789"), Answer(cut=0))
    found = all_of(calls_to(server, health=health, retries=0, concurrency=1), texts)
    assert [one.kind for one in found if isinstance(one, Failure)] == ["silent"] * 4 + ["unsent"] * 16
    assert isinstance(found[-1], Failure)
    assert found[-1].reason.startswith("the server was given up when 4 requests in a row failed; the last: the line")


def test_a_key_that_is_no_longer_taken_stops_all_and_what_was_under_way_comes_first(server: Server) -> None:
    on(server, {"7"}, Answer({"error": f"revoked: {TOKEN}"}, status=401))
    calls, found = calls_to(server, concurrency=1), list[int]()
    texts, said = [str(n) for n in range(50)], r"401: revoked: \[token\]$"
    with calls.each(texts, ask) as answers, pytest.raises(ImpossibleError, match=said) as raised:
        found.extend(place for place, _ in answers)
    assert found == list(range(7))
    assert raised.value.status == 401
    assert len(server.requests) == 8


@pytest.mark.parametrize("status", [403, 404, 302])
def test_what_else_is_refused_after_it_worked_is_its_own_row_s_fault(server: Server, status: int) -> None:
    on(server, {"3"}, Answer(status=status, headers={"Location": "/elsewhere"}))
    found = all_of(calls_to(server, concurrency=1), [str(n) for n in range(6)])
    assert [one.kind for one in found if isinstance(one, Failure)] == ["refused"]
    assert len(server.requests) == 6
    with pytest.raises(ImpossibleError, match=f"answered {status}"):
        all_of(calls_to(server), ["3"])


def test_a_redirect_takes_no_credential_along(server: Server) -> None:
    with Server() as other:
        server.fault = lambda request, own: Answer(status=307, headers={"Location": f"{other.url}/get_reward"})
        with pytest.raises(ImpossibleError, match="answered 307"):
            all_of(calls_to(server), ["a"])
        assert other.requests == []
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_wait_ends_when_nothing_can_succeed_any_more(server: Server) -> None:
    """One waits a minute for its next try while another learns that the key is not taken."""

    def fault(request: Came, own: Answer) -> Answer:
        slow = request.body["query"][0] == "slow"
        return Answer(status=503) if slow else Answer(status=401, wait=0.3)

    server.fault = fault
    start = time.monotonic()
    with pytest.raises(ImpossibleError):
        all_of(calls_to(server, backoff=60.0), ["slow", "other"])
    assert time.monotonic() - start < 14  # the back-off is at least 15 s


def test_whoever_leaves_early_leaves_no_request_behind(server: Server) -> None:
    server.delay = 0.05
    with calls_to(server).each([str(n) for n in range(1000)], ask) as answers:
        next(answers)
    sent = len(server.requests)
    assert sent < 100
    time.sleep(0.3)
    assert len(server.requests) <= sent + 2  # those under way, which the server may come to later
    assert not [thread for thread in threading.enumerate() if thread.name == "requests"]


def test_an_error_of_one_s_own_is_raised_as_it_is(server: Server) -> None:
    async def broken(line: Line, item: str) -> float:
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError, match="a"), calls_to(server).each(["a"], broken) as answers:
        list(answers)


def test_a_token_that_is_answered_reaches_nobody(server: Server) -> None:
    server.fault = lambda request, own: Answer({"oh": ["x" * 60 + TOKEN]})
    (found,) = all_of(calls_to(server), ["a"])
    assert isinstance(found, Failure)
    assert "sesame" not in found.reason
    assert "[token]" in found.reason
