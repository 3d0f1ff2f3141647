"""The served reward over real HTTP: limits, tokens, refusals, queues, clients that go or hang, what a log holds."""

from __future__ import annotations

import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest

from assay.records import Text
from assay.serve.asked import Turns
from assay.serve.config import ServeConfig
from assay.serve.dialects.plain_groups import GROUPS
from assay.serve.request_limits import HEADERS, Access
from tests.serve.sites import Site, group, of_function, serving, until

SECRET = "the words of a customer"
LENGTH = "baseline:longest"


def lengths(_prompt: Text, answers: Sequence[Text]) -> list[float]:
    return [float(len(str(answer))) for answer in answers]


class Held:
    """A rule that gives lengths once it is let; counts what it was asked."""

    def __init__(self) -> None:
        self.let, self.asked = threading.Event(), 0

    def __call__(self, prompt: Text, answers: Sequence[Text]) -> list[float]:
        self.asked += len(answers)
        assert self.let.wait(60)
        return lengths(prompt, answers)


def test_groups_get_rewards_and_what_is_served_is_told() -> None:
    with serving(LENGTH) as site:
        body = {
            "groups": [{"id": "a", "prompt": "p", "answers": ["yes", "yes indeed"]}, {"prompt": "q", "answers": []}]
        }
        said = site.post("/v1/score", body)
        assert said.status == 200
        first, second = said.body["groups"]
        assert first["id"] == "a"
        assert first["rewards"][0] < first["rewards"][1]
        assert second == {"rewards": []}
        assert said.headers["x-assay-gate"] == "ungated"
        assert said.headers["x-assay-model"] == said.body["fingerprint"] == site.service.identity.fingerprint
        assert said.headers["x-assay-rewards"] == "raw"
        assert (site.get("/health").raw, site.get("/ready").raw) == (b"alive\n", b"ready\n")
        metrics = site.get("/metrics").raw.decode()
        assert 'assay_requests_total{dialect="assay",status="200"} 1' in metrics
        assert 'assay_rows_total{outcome="rewarded"} 2' in metrics
        assert 'gate="ungated"' in metrics


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/v1/score", {"groups": [{"prompt": SECRET, "answers": 7}]}, 400, "groups.0.answers: Input should be"),
        ("/v1/score", {"query": [SECRET]}, 400, "/v1/score takes"),
        ("/v1/score", [SECRET], 400, "/v1/score takes"),
        ("/v1/score", {"groups": [], "model": SECRET}, 404, "is not served"),
        ("/v1/score", {"groups": [{"prompt": "p", "answers": ["a"] * 9}]}, 413, "9 rows in one request"),
        ("/v1/score", {"groups": [{"prompt": [], "answers": []}]}, 400, "a conversation without a turn"),
        ("/classify", {"input": "a", "truncate_prompt_tokens": 5}, 400, "truncate_prompt_tokens"),
        ("/classify", {"input": "a", "chat_template": SECRET}, 400, "chat_template"),
        ("/v1/rerank", {"query": "a", "documents": [], "truncate_prompt_tokens": 5}, 400, "truncate_prompt_tokens"),
        ("/classify", {"messages": [{"role": "user", "content": SECRET}]}, 400, "the assistant's"),
        ("/classify", {"messages": [{"role": SECRET, "content": "a"}]}, 400, "messages.0.role"),
        ("/predict", {"inputs": [["a", "b", SECRET]]}, 400, "inputs.0: a row is one text"),
        ("/get_reward", {"query": [SECRET]}, 422, "row 0: this scorer takes prompts and answers"),
        (f"/{SECRET.replace(' ', '')}", {}, 404, "no such path"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_is_wanted_and_repeats_nothing(
    path: str, body: object, status: int, told: str, small: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        said = small.post(path, body)
    assert said.status == status
    assert told in said.raw.decode()
    assert SECRET not in said.raw.decode() + caplog.text + small.get("/metrics").raw.decode()
    assert SECRET.replace(" ", "") not in said.raw.decode() + caplog.text
    assert all(said.headers[name] == value for name, value in HEADERS.items())


@pytest.fixture(scope="module")
def small():
    with serving(LENGTH, config=ServeConfig(rows=8, body_bytes=4096, body_seconds=0.5, header_seconds=0.5)) as site:
        yield site


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"groups": [{"prompt": "half a \\ud800 surrogate", "answers": ["a"]}]}', "not JSON"),
        (b'{"groups": [{"prompt": "raw \xed\xa0\x80", "answers": ["a"]}]}', "not JSON"),
        (b'{"groups": 1e999}', "not JSON"),
        (b"[" * 3000, "not JSON"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, told: str, small: Site) -> None:
    said = small.ask("POST", "/v1/score", body)
    assert (said.status, told in said.raw.decode()) == (400, True)


def test_bodies_are_limited_by_kind_size_and_time(small: Site) -> None:
    fine = json.dumps(group("p", "a")).encode()
    assert small.ask("POST", "/v1/score", fine, {"content-type": "text/plain"}).status == 415
    assert small.ask("POST", "/v1/score", fine, {"content-encoding": "gzip"}).status == 415
    assert small.ask("POST", "/v1/score", fine + b" " * 5000).status == 413
    with small.raw(
        "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        "transfer-encoding: chunked\r\n\r\n" + "400\r\n" + " " * 1024 + "\r\n" + "1400\r\n" + " " * 4000
    ) as line:
        assert b"413" in line.recv(1000)
    # A body that does not come, and a head that does not.
    with small.raw(
        "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"
    ) as line:
        assert b"408" in line.recv(1000)
    with small.raw("POST /v1/score HTTP/1.1\r\nhost: loc") as line:
        assert line.recv(1000) == b""
    with small.raw("") as line:
        assert line.recv(1000) == b""
    assert small.post("/v1/score", group("p", "a")).status == 200


def test_one_prompt_and_many_answers_are_limited_by_what_they_come_to() -> None:
    """A body of 16 MB would be sixteen gigabytes of rows, every row with its prompt."""
    with serving(LENGTH, config=ServeConfig(body_bytes=4096)) as site:
        assert site.post("/v1/score", group("p" * 3000, *"abcdefghij")).status == 200
        said = site.post("/v1/score", group("p" * 3000, *"abcdefghijk"))
        assert (said.status, b"33011 characters in 11 rows" in said.raw) == (413, True)


def test_one_conversation_and_many_answers_are_limited_by_their_turns() -> None:
    """A body of 16 MB holds 300,000 turns without a word; a thousand answers to them are 300 million messages."""
    said = {"role": "user", "content": ""}
    body = {"groups": [{"prompt": [said] * 100, "answers": ["a"] * 20}]}
    with serving(LENGTH, config=ServeConfig(body_bytes=4096)) as site:
        refused = site.post("/v1/score", body)
        assert (refused.status, b"2000 turns in 20 rows" in refused.raw) == (413, True)
    parsed = GROUPS.parse(body).asked
    assert isinstance(parsed[0], Turns)
    assert all(isinstance(one, Turns) and one.prompt is parsed[0].prompt for one in parsed)


def test_a_client_that_does_not_take_its_answer_is_let_go() -> None:
    with serving(LENGTH) as site:
        site.server.config.http_protocol_class.answer_seconds = 0.2  # type: ignore[union-attr]
        body = json.dumps({"query": "p", "texts": ["a" * 2**20] * 14, "return_text": True}).encode()
        head = (
            f"POST /rerank HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        )
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", site.port))
            line.sendall(head.encode() + b"\r\n\r\n" + body)
            until(lambda: b'{dialect="tei-rerank",status="200"} 1' in site.get("/metrics").raw)
            until(lambda: not site.server.server_state.connections)


def test_a_hundred_megabytes_are_refused_unread_and_the_client_can_read_why() -> None:
    with serving(LENGTH) as site:
        said = site.ask("POST", "/v1/score", b" " * (100 * 2**20))
        assert (said.status, b"at most 16777216 bytes" in said.raw) == (413, True)
        assert site.post("/v1/score", group("p", "a")).status == 200


def heard(line: socket.socket, wanted: bytes) -> bool:
    """Whether these bytes come before the line is closed: head and body may arrive apart."""
    said = b""
    while wanted not in said and (more := line.recv(1000)):
        said += more
    return wanted in said


def test_a_line_that_is_kept_alive_outlasts_the_time_of_a_head(small: Site) -> None:
    head = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with small.raw(head) as line:
        assert heard(line, b"alive")
        time.sleep(0.8)
        line.sendall(head.encode())
        assert heard(line, b"alive")
        line.sendall(head[:9].encode())
        assert line.recv(1000) == b""


def test_what_came_of_a_refused_body_keeps_no_line_open() -> None:
    """Whoever has no token could else hold every connection: uvicorn forgets its own time when more of a body comes."""
    with serving(LENGTH, access=Access(token="t" * 20)) as site:
        site.server.config.timeout_keep_alive = 1
        head = "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\n"
        with site.raw(head) as line:
            assert heard(line, b"wants its token")
            line.sendall(b"body")
            assert line.recv(1000) == b""


def test_as_many_connections_are_taken_as_are_stated() -> None:
    with serving(LENGTH, config=ServeConfig(connections=1)) as site:
        assert site.get("/health").status == 200


def test_only_who_has_the_token_may_ask_and_only_the_owner_may_change_the_model() -> None:
    access = Access(token="t" * 20, owner_token="o" * 20)
    with serving(LENGTH, access=access) as site:
        assert site.post("/v1/score", group("p", "a")).status == 200
        site.token = None
        assert (site.get("/health").status, site.get("/ready").status) == (200, 200)
        for path in ("/metrics", "/v1/models", "/nothing"):
            assert site.get(path).status == 401
        for given in ("", "Bearer", "Bearer x", "Basic " + "t" * 20, "Bearer " + "t" * 19, "Bearer é\udcff"):
            said = site.ask(
                "POST",
                "/v1/score",
                b" " * 10**6,
                {"authorization": given.encode("latin-1", "ignore").decode("latin-1")},
            )
            assert (said.status, said.headers["www-authenticate"]) == (401, "Bearer")
            assert not {"x-assay-model", "x-assay-gate"} & said.headers.keys()
        assert site.ask("POST", "/v1/score", b"{}", {"authorization": "bearer " + "o" * 20}).status == 400
        assert site.ask("POST", "/v1/swap", b"{}", {"authorization": "Bearer " + "t" * 20}).status == 401
        assert site.ask("POST", "/v1/swap", b"{}", {"authorization": "Bearer " + "o" * 20}).status == 200
    assert "tttt" not in repr(access)
    with serving(LENGTH) as site:
        assert site.post("/v1/swap", {}).status == 403


def test_a_path_that_only_looks_like_the_owner_s_changes_nothing() -> None:
    for access in (Access(token="t" * 20, owner_token="o" * 20), Access()):
        with serving(LENGTH, access=access) as site:
            for path in ("/v1/swap%0A", "/v1/swap%0D%0A", "/v1/swap/", "//v1/swap", "/v1/./swap", "/v1/score%0A"):
                assert site.ask("POST", path, b'{"model": "baseline:shortest"}').status == 404
            assert site.service.identity.name == LENGTH


def test_a_page_in_a_browser_gets_nothing() -> None:
    with serving(LENGTH, access=Access(hosts=frozenset({"127.0.0.1", "localhost"}))) as site:
        body = group("p", "a")
        assert site.post("/v1/score", body).status == 200
        assert site.post("/v1/score", body, origin="http://evil.example").status == 403
        assert site.post("/v1/score", body, **{"sec-fetch-site": "cross-site"}).status == 403
        assert site.post("/v1/score", body, host="evil.example").status == 400
    with serving(LENGTH) as site:
        told = [site.ask(method, "/v1/score") for method in ("DELETE", "GET")]
        assert [(said.status, said.headers["allow"]) for said in told] == [(405, "GET, HEAD, POST"), (405, "POST")]


def test_many_clients_are_answered_together_and_right() -> None:
    with serving(of_function(lengths)) as site, ThreadPoolExecutor(32) as pool:
        texts = [f"{'a' * (n % 50)}." for n in range(200)]
        found = list(pool.map(lambda text: site.post("/v1/score", group(f"p{len(text) % 7}", text)).body, texts))
        assert [one["groups"][0]["rewards"] for one in found] == [[float(len(text))] for text in texts]
        metrics = site.get("/metrics").raw.decode()
        (batches,) = [line for line in metrics.splitlines() if line.startswith("assay_batch_rows_count")]
        assert int(batches.split()[1]) < 200


def test_a_full_queue_says_when_to_come_again() -> None:
    held = Held()
    with serving(of_function(held), config=ServeConfig(queue_rows=4)) as site, ThreadPoolExecutor(2) as pool:
        first = pool.submit(site.post, "/v1/score", group("p", "a", "b", "c"))
        until(lambda: held.asked == 3)
        said = site.post("/v1/score", group("p", "d", "e"))
        assert said.status == 429
        assert int(said.headers["retry-after"]) >= 1
        held.let.set()
        assert first.result(60).status == 200
        assert site.post("/v1/score", group("p", "d", "e")).status == 200


def test_a_client_that_goes_costs_nobody_a_pass() -> None:
    held = Held()
    with serving(of_function(held)) as site, ThreadPoolExecutor(2) as pool:
        first = pool.submit(site.post, "/v1/score", group("p", "a"))
        until(lambda: held.asked == 1)
        body = json.dumps(group("q", "b", "c"))
        head = "POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        line = site.raw(f"{head}content-length: {len(body)}\r\n\r\n{body}")
        until(lambda: site.service.batcher.waiting_rows == 3)
        line.close()
        until(lambda: site.service.batcher.waiting_rows == 1)
        held.let.set()
        assert first.result(60).status == 200
        assert site.post("/v1/score", group("p", "d")).status == 200
        assert held.asked == 2
        assert "assay_clients_gone_total 1" in site.get("/metrics").raw.decode()


def test_an_end_answers_what_is_under_way_and_refuses_what_is_new() -> None:
    held = Held()
    with serving(of_function(held)) as site, ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(site.post, "/v1/score", group("p", "a" * n)) for n in (1, 2, 3)]
        until(lambda: site.service.batcher.waiting_rows == 3)
        site.loop.call_soon_threadsafe(site.server.drain)
        until(lambda: site.service.draining)
        refused = site.post("/v1/score", group("p", "b"))
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        assert (site.get("/ready").status, site.get("/health").status) == (503, 200)
        held.let.set()
        assert [one.result(60).body["groups"][0]["rewards"] for one in under_way] == [[1.0], [2.0], [3.0]]
        until(lambda: site.server.should_exit)


@pytest.mark.parametrize("seconds", [0.05, 600.0])
def test_a_pass_that_never_ends_does_not_keep_a_server_from_ending(seconds: float) -> None:
    """What is not answered within its time, or at a second signal, is refused; the thread is left where it hangs."""
    held = Held()
    with ThreadPoolExecutor(1) as pool:
        with serving(of_function(held), config=ServeConfig(drain_seconds=seconds)) as site:
            under_way = pool.submit(site.post, "/v1/score", group("p", "a"))
            until(lambda: held.asked == 1)
            site.loop.call_soon_threadsafe(site.server.drain)
            until(lambda: site.service.draining)
            if seconds > 1:
                site.server.handle_exit(signal.SIGTERM, None)
            said = under_way.result(60)
            assert (said.status, said.headers["retry-after"]) == (503, "5")
        assert not held.let.is_set()
        held.let.set()


def test_a_mistake_of_ours_or_of_the_scorer_tells_no_text(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_prompt: Text, answers: Sequence[Text]) -> list[Any]:
        raise RuntimeError(f"cannot score {answers[0]}")

    with serving(of_function(broken)) as site, caplog.at_level(logging.DEBUG):
        said = site.post("/v1/score", group("p", SECRET))
        assert (said.status, "RuntimeError" in said.raw.decode()) == (500, True)
        site.service.batcher.submit = lambda *_, **__: 1 / 0  # type: ignore[method-assign,assignment]
        said = site.post("/v1/score", group("p", SECRET))
        assert (said.status, b"mistake of this server's own" in said.raw) == (500, True)
        assert said.headers["x-assay-gate"] == "ungated"
    assert "ZeroDivisionError at" in caplog.text
    assert SECRET not in caplog.text


def test_rewards_that_are_not_finite_have_a_reason_and_no_number() -> None:
    with serving(of_function(lambda _prompt, answers: [float("nan") for _ in answers])) as site:
        (found,) = site.post("/v1/score", group("p", "a")).body["groups"]
        assert found == {"rewards": [None], "reasons": ["the reward is not finite: nan"]}
        assert site.post("/rerank", {"query": "p", "documents": ["a"]}).status == 422


def test_a_swap_loses_no_request_and_a_bad_one_changes_nothing() -> None:
    held = Held()
    access = Access(token="t" * 20, owner_token="o" * 20)
    with serving(of_function(held), access=access) as site, ThreadPoolExecutor(4) as pool:
        before = [pool.submit(site.post, "/v1/score", group("p", "a" * n)) for n in (1, 2)]
        until(lambda: site.service.batcher.waiting_rows == 2)
        owner = {"authorization": "Bearer " + "o" * 20}
        bad = site.ask("POST", "/v1/swap", b'{"model": "nosuchkind:x"}', owner)
        assert (bad.status, b"no scorer of kind" in bad.raw) == (422, True)
        assert site.ask("POST", "/v1/swap", b'{"model": 7}', owner).status == 400
        swap = pool.submit(site.ask, "POST", "/v1/swap", b'{"model": "baseline:longest"}', owner)
        time.sleep(0.05)
        held.let.set()
        assert swap.result(60).body["model"] == "baseline:longest"
        after = site.post("/v1/score", group("p", "abc"))
        told = [one.result(60) for one in before]
    assert [one.body["groups"][0]["rewards"] for one in told] == [[1.0], [2.0]]
    assert {one.headers["x-assay-model"] for one in told} == {"rule/1"}
    assert after.headers["x-assay-model"] != "rule/1"
    assert after.body["model"] == "baseline:longest"


def test_swaps_under_load_lose_nothing_and_mix_nothing() -> None:
    """Eight clients ask all the time; each answer is whole and of the model that its header names."""
    access = Access(owner_token="o" * 20)
    owner = {"authorization": "Bearer " + "o" * 20}
    with serving("baseline:longest", access=access) as site, ThreadPoolExecutor(8) as pool:
        ended = threading.Event()
        answered: SimpleQueue[str] = SimpleQueue()

        def client(number: int) -> list[tuple[str, list[float]]]:
            found = []
            while not ended.is_set():
                said = site.post("/v1/score", group(f"p{number}", "a", "a longer one", "b"))
                assert said.status == 200, said.raw
                found.append((said.headers["x-assay-model"], said.body["groups"][0]["rewards"]))
                answered.put(said.headers["x-assay-model"])
            return found

        clients = [pool.submit(client, number) for number in range(8)]
        for turn in range(6):
            name = ("baseline:shortest", "baseline:longest")[turn % 2]
            said = site.ask("POST", "/v1/swap", json.dumps({"model": name}).encode(), owner)
            assert said.status == 200, said.raw
            # On a busy machine all swaps can be over before one client was heard.
            while answered.get(timeout=60) != name:
                pass
        ended.set()
        found = [one for client in clients for one in client.result(60)]
    by_model: dict[str, set[tuple[float, ...]]] = {}
    for model, rewards in found:
        by_model.setdefault(model, set()).add(tuple(rewards))
    assert len(by_model) == 2
    assert all(len(rewards) == 1 for rewards in by_model.values())
