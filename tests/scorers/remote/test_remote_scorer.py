"""A real server on this machine with every fault there is: no fault becomes a reward, and none costs other rows."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from assay.errors import ConfigError, InputError
from assay.records import Candidates
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.remote_scorer import REWARDS, RemoteScorer
from tests.support.reward_server import Answer, Request, Server, letters

QUICK = {"cache": "off", "backoff": 0.001, "concurrency": 4, "timeout": 20.0}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def groups(n: int, *, answers: int = 2) -> list[Candidates]:
    return [
        Candidates(id=str(i), prompt=f"Question {i}?", answers=tuple(f"Answer {i}.{k}" for k in range(answers)))
        for i in range(n)
    ]


def scorer_at(server: Server, kind: str = "vllm", **options: object) -> RemoteScorer:
    needed = {"template": "plain"} if kind in {"sglang", "openrlhf"} else {}
    found = open_scorer(f"{kind}:{server.url}", remote=RemoteConfig.build({**QUICK, **needed, **options}))
    assert isinstance(found, RemoteScorer)
    return found


def flat(results: Sequence[tuple[Scored, ...]]) -> list[Scored]:
    return [one for several in results for one in several]


def values(results: Sequence[tuple[Scored, ...]]) -> list[float]:
    found = flat(results)
    assert all(isinstance(one, Reward) for one in found), found
    return [one.value for one in found if isinstance(one, Reward)]


def reasons(results: Sequence[tuple[Scored, ...]]) -> set[str]:
    """Why answers have no reward; none of them has one."""
    found = flat(results)
    assert all(isinstance(one, Unscored) for one in found), found
    return {one.reason for one in found if isinstance(one, Unscored)}


def failing(times: int, *answers: Answer) -> Callable[[Request, Answer], Answer]:
    """The first `times` requests for rewards get these answers in turn, all others their own."""
    count = iter(range(times))

    def fault(request: Request, answer: Answer) -> Answer:
        n = next(count, None) if request.method == "POST" else None
        return answer if n is None else answers[n % len(answers)]

    return fault


def test_messages_go_to_vllm_and_each_row_gets_its_own_reward(server: Server) -> None:
    found = values(scorer_at(server).score(groups(10)))
    chats = [
        [{"role": "user", "content": f"Question {i}?"}, {"role": "assistant", "content": f"Answer {i}.{k}"}]
        for i in range(10)
        for k in range(2)
    ]
    assert found == [letters(chat) for chat in chats]
    assert min(found) < 0 < 1 < max(found)


@pytest.mark.parametrize("kind", ["sglang", "tei", "openrlhf"])
@pytest.mark.parametrize("batch", [1, 3, 32])
def test_batches_change_nothing_but_the_number_of_requests(server: Server, kind: str, batch: int) -> None:
    alone = values(scorer_at(server, kind).score(groups(10)))
    server.requests.clear()
    assert values(scorer_at(server, kind, batch=batch).score(groups(10))) == alone
    assert len(server.asked) == -(-20 // batch)


def test_equal_rows_are_sent_once(server: Server) -> None:
    twice = [Candidates(id=n, prompt="May I?", answers=("Yes.", "No.", "Yes.")) for n in "ab"]
    found = scorer_at(server).score(twice)
    assert len(server.asked) == 2
    assert found[0] == found[1]
    assert found[0][0] == found[0][2] != found[0][1]


def test_requests_are_under_way_together_over_lines_that_stay_open(server: Server) -> None:
    server.delay = 0.05
    scorer_at(server, concurrency=16).score(groups(100))
    assert 8 < server.most_at_once <= 16
    assert server.lines <= 17  # and one that asked what is served


def test_it_also_runs_where_a_loop_runs(server: Server) -> None:
    async def notebook() -> list[float]:
        return values(scorer_at(server).score(groups(3)))

    assert asyncio.run(notebook()) == values(scorer_at(server).score(groups(3)))


# --- faults that pass


@pytest.mark.parametrize(
    "fault",
    [Answer(status=500), Answer(status=503, body=b"<html>busy</html>"), Answer({"rows": 1}, cut=30), Answer(cut=0)],
    ids=["500", "HTML 503", "closed in the middle", "closed at once"],
)
def test_what_passes_is_tried_again(server: Server, fault: Answer) -> None:
    good = values(scorer_at(server).score(groups(4)))
    server.fault = failing(6, fault)
    assert values(scorer_at(server, retries=8).score(groups(4))) == good


def test_a_server_that_is_slow_once_is_asked_again(server: Server) -> None:
    good = values(scorer_at(server).score(groups(1)))
    scorer = scorer_at(server, timeout=3.0, retries=2)
    _ = scorer.fingerprint
    server.fault = failing(2, Answer(wait=60))
    assert values(scorer.score(groups(1))) == good


def test_retry_after_is_obeyed_by_all(server: Server) -> None:
    scorer = scorer_at(server, concurrency=2)
    _ = scorer.fingerprint
    server.fault = failing(1, Answer(status=429, headers={"Retry-After": "1"}))
    start = time.monotonic()
    times: list[float] = []
    before = server.fault
    server.fault = lambda request, answer: (times.append(time.monotonic() - start), before(request, answer))[1]
    values(scorer.score(groups(8)))
    assert len(server.asked) == 17
    # Two were under way when it came; whoever had not been sent yet waited the second out.
    assert sum(one < 1.0 for one in times) <= 3


def test_a_wait_longer_than_the_longest_is_a_reason(server: Server) -> None:
    server.fault = failing(99, Answer({"detail": "quota"}, status=429, headers={"Retry-After": "3600"}))
    (reason,) = reasons(scorer_at(server, longest_wait=1).score(groups(1, answers=1)))
    assert (
        reason
        == "the server answered 429: quota, and asks to wait 3600 s; the longest wait is 1 s (remote.longest_wait)"
    )


# --- faults that stay


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            Answer({"error": {"message": "out of\nmemory"}}, status=500),
            "the server answered 500: out of memory, after 2 tries",
        ),
        (
            Answer(b"<!DOCTYPE html><p>Welcome</p>"),
            "the server answered with HTML, where JSON was expected: '<!DOCTYPE html><p>Welcome</p>'",
        ),
        (Answer(b"Welcome"), "the server answered with something else than JSON, where JSON was expected: 'Welcome'"),
        (Answer(b""), "the server answered with nothing, where JSON was expected"),
        (Answer({"data": []}), "of the server's answer: it answered for 0 rows where 1 were sent"),
        (
            Answer({"data": [{"index": 0, "probs": [1.5]}, {"index": 1, "probs": [2.5]}]}),
            "of the server's answer: it answered for 2 rows where 1 were sent",
        ),
        (
            Answer({"data": [{"index": 5, "probs": [1.5]}]}),
            "of the server's answer: its answer is for rows [5], not for the 1 that were sent",
        ),
        (
            Answer({"data": [{"index": 0, "probs": [None]}]}),
            "of the server's answer: it gave None where a number should stand",
        ),
        (Answer(b'{"data": [{"index": 0, "probs": [NaN]}]}'), "the reward is not finite: nan"),
        (Answer(b'{"data": [{"index": 0, "probs": [-Infinity]}]}'), "the reward is not finite: -inf"),
        (Answer(b'{"data": [{"index": 0, "probs": [1e999]}]}'), "the reward is not finite: inf"),
    ],
    ids=lambda value: None if isinstance(value, Answer) else value[-24:],
)
def test_every_fault_is_a_reason_and_no_reward(server: Server, fault: Answer, reason: str) -> None:
    scorer = scorer_at(server, retries=1)
    _ = scorer.fingerprint
    server.fault = lambda request, answer: fault
    assert reasons(scorer.score(groups(3))) == {reason}


def test_a_server_that_hangs_or_closes_the_line_is_a_reason(server: Server) -> None:
    scorer = scorer_at(server, retries=0, timeout=0.3)
    scorer.__dict__["identity"] = {}  # a busy machine may not answer that in 0.3 s
    server.fault = lambda request, answer: Answer(wait=60)
    assert reasons(scorer.score(groups(2))) == {"the server gave no answer in 0.3 s"}


def test_a_line_that_is_closed_is_a_reason(server: Server) -> None:
    scorer = scorer_at(server, retries=0)
    _ = scorer.fingerprint
    server.fault = lambda request, answer: Answer(cut=0)
    (reason,) = reasons(scorer.score(groups(1, answers=1)))
    assert reason.startswith("the line to the server broke")


def test_a_slow_drip_is_no_way_around_the_limit(server: Server) -> None:
    """The limit is of the whole try: a header now, a byte then, would keep a limit of each read waiting for ever."""
    scorer = scorer_at(server, retries=0, timeout=0.5)
    scorer.__dict__["identity"] = {}
    server.fault = lambda request, answer: Answer(headers={"Content-Length": "1000"})
    assert reasons(scorer.score(groups(1, answers=1))) == {"the server gave no answer in 0.5 s"}


@pytest.mark.parametrize("kind", ["tei", "openrlhf"])
def test_a_row_that_is_refused_costs_no_other_in_its_batch(server: Server, kind: str) -> None:
    rows = [Candidates(id="a", prompt="May I?", answers=("Yes.", "unreadable", "No.", "Never."))]
    ((first, bad, *rest),) = scorer_at(server, kind, batch=4).score(rows)
    assert bad == Unscored("the server answered 400: the row is longer than the model reads")
    assert all(isinstance(one, Reward) for one in (first, *rest))


def test_a_server_that_fails_and_fails_is_given_up(server: Server) -> None:
    scorer = scorer_at(server, retries=0, give_up=5, concurrency=2)
    _ = scorer.fingerprint
    server.fault = lambda request, answer: Answer(status=500)
    found = reasons(scorer.score(groups(50)))
    assert found == {
        "the server answered 500",
        "the server was given up when 5 requests in a row failed (remote.give_up); the last: the server answered 500",
    }
    assert len(server.asked) <= 7
    scorer.score(groups(60))
    assert len(server.asked) <= 7  # and stays given up


def test_rows_refused_one_by_one_are_no_reason_to_give_up(server: Server) -> None:
    rows = [Candidates(id=str(n), prompt=f"{n} unreadable", answers=("a", "b")) for n in range(20)]
    assert len(reasons(scorer_at(server, give_up=3).score(rows))) == 1
    assert len(server.asked) == 40


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"error": "who are you"}, status=401), r"401: who are you.*ASSAY_VLLM_TOKEN or ASSAY_REMOTE_TOKEN"),
        (Answer({"detail": "Not Found"}, status=404), r"404: Not Found.*of a version that has /classify"),
        (Answer(status=307, headers={"Location": "http://other"}), "307. A redirect is not followed"),
    ],
    ids=["401", "404", "307"],
)
def test_what_can_never_succeed_is_an_error(server: Server, answer: Answer, said: str) -> None:
    scorer = scorer_at(server)
    _ = scorer.fingerprint
    server.fault = lambda request, own: answer
    with pytest.raises(ConfigError, match=said):
        scorer.score(groups(3))
    assert len(server.asked) <= 4


def test_a_server_that_answered_before_may_be_refused_later(server: Server) -> None:
    scorer = scorer_at(server)
    values(scorer.score(groups(2)))
    server.fault = lambda request, own: Answer(status=404)
    assert reasons(scorer.score(groups(3)[2:])) == {"the server answered 404"}


def test_a_server_that_is_not_there_is_told_before_data_are_read(server: Server) -> None:
    scorer = scorer_at(server, retries=1)
    server.__exit__()
    with pytest.raises(InputError, match=r"the line to the server broke: .*, after 2 tries. Is the server up"):
        _ = scorer.fingerprint


# --- what is served


def test_the_only_model_served_is_taken_and_another_refused(server: Server) -> None:
    scorer = scorer_at(server)
    scorer.score(groups(1))
    assert {request.body["model"] for request in server.asked} == {"tiny"}
    server.models = ["tiny", "adapter"]
    with pytest.raises(ConfigError, match=r"serves tiny, adapter. Name one of them: vllm:.*/MODEL"):
        _ = scorer_at(server).fingerprint
    with pytest.raises(ConfigError, match=r"no such model there\. It serves tiny, adapter"):
        _ = scorer_at(server, model="big").fingerprint
    assert scorer_at(server, model="adapter").score(groups(1))


def test_the_fingerprint_is_of_what_decides_rewards(server: Server, tmp_path: Path) -> None:
    base = scorer_at(server).fingerprint
    same = ({"concurrency": 9}, {"cache": str(tmp_path)}, {"retries": 1}, {"max_requests": 7}, {"model": "tiny"})
    assert {scorer_at(server, **options).fingerprint for options in same} == {base}
    others = ({"revision": "2"}, {"route": "pooling"}, {"template": "plain"}, {"label": 0})
    found = {scorer_at(server, **options).fingerprint for options in others}
    assert len(found | {base}) == 5
    server.models = ["larger"]
    assert scorer_at(server).fingerprint != base


# --- budget


def test_after_the_budget_of_requests_the_rest_is_unscored(server: Server) -> None:
    found = flat(scorer_at(server, max_requests=7).score(groups(10)))
    assert [isinstance(one, Reward) for one in found] == [True] * 7 + [False] * 13
    assert set(found[7:]) == {Unscored("the budget of 7 requests is spent (remote.max_requests)")}
    assert len(server.asked) == 7


def test_tries_count_in_the_budget(server: Server) -> None:
    server.fault = failing(3, Answer(status=500))
    found = flat(scorer_at(server, max_requests=5, concurrency=1).score(groups(5)))
    assert [isinstance(one, Reward) for one in found] == [True, True] + [False] * 8


def test_the_budget_of_tokens_is_of_what_the_server_tells(server: Server) -> None:
    scorer = scorer_at(server, max_tokens=250, concurrency=1)
    found = flat(scorer.score(groups(10)))
    told = [len(str(request.body["messages"])) for request in server.asked]
    assert sum(told) >= 250 > sum(told[:-1])
    assert sum(isinstance(one, Reward) for one in found) == len(told)
    assert found[-1] == Unscored("the budget of 250 tokens is spent (remote.max_tokens)")


def test_the_budget_of_seconds_ends_also_what_is_under_way(server: Server) -> None:
    scorer = scorer_at(server, max_seconds=1.0, concurrency=2, retries=0)
    _ = scorer.fingerprint
    server.fault = lambda request, answer: Answer(wait=60)
    start = time.monotonic()
    found = reasons(scorer.score(groups(5)))
    assert time.monotonic() - start < 30
    assert "the budget of 1 seconds is spent (remote.max_seconds)" in found


# --- cache


def test_what_was_had_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    first = scorer_at(server, cache=str(tmp_path)).score(groups(10))
    assert len(server.asked) == 20
    assert scorer_at(server, cache=str(tmp_path)).score(groups(10)) == first
    assert len(server.asked) == 20
    more = scorer_at(server, cache=str(tmp_path)).score(groups(12))
    assert more[:10] == first
    assert len(server.asked) == 20 + 3 + 4  # three are asked again, to see that the same weights are served


def test_failures_are_asked_for_again(server: Server, tmp_path: Path) -> None:
    scorer = scorer_at(server, cache=str(tmp_path), retries=0, concurrency=1)
    _ = scorer.fingerprint
    server.fault = failing(
        3, Answer(status=500), Answer(b'{"data": [{"index": 0, "probs": [NaN]}]}'), Answer(b"<html>")
    )
    found = flat(scorer.score(groups(3)))
    assert [isinstance(one, Reward) for one in found] == [False] * 3 + [True] * 3
    values(scorer_at(server, cache=str(tmp_path)).score(groups(3)))


def test_the_cache_of_other_weights_is_not_used(server: Server, tmp_path: Path) -> None:
    scorer_at(server, cache=str(tmp_path)).score(groups(5))
    server.rule = lambda row: letters(row) + 1.0
    with pytest.raises(InputError, match=r"other weights stand behind the address now.*remote\.revision=NAME"):
        scorer_at(server, cache=str(tmp_path)).score(groups(6))
    found = values(scorer_at(server, cache=str(tmp_path), revision="new").score(groups(6)))
    assert found == values(scorer_at(server).score(groups(6)))
    server.rule = lambda row: letters(row) + 1.01  # what batches and kernels do
    values(scorer_at(server, cache=str(tmp_path), revision="new").score(groups(7)))


def test_two_servers_share_no_rewards(server: Server, tmp_path: Path) -> None:
    with Server(lambda row: letters(row) + 2) as other:
        first, second = (values(scorer_at(one, cache=str(tmp_path)).score(groups(3))) for one in (server, other))
    assert second == pytest.approx([one + 2 for one in first])


def test_the_cache_holds_no_text(server: Server, tmp_path: Path) -> None:
    scorer_at(server, cache=str(tmp_path)).score(groups(5))
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(word in written for word in (b"Question", b"Answer", b"127.0.0.1", b"tiny"))


def test_a_cache_that_is_torn_says_so(server: Server, tmp_path: Path) -> None:
    (tmp_path / REWARDS.file).write_bytes(b"this is no database" * 100)
    with pytest.raises(InputError, match=r"the cache of rewards cannot be used.*remote\.cache=off"):
        scorer_at(server, cache=str(tmp_path)).score(groups(1))


# --- rewards that passed an activation


def finding(scorer: RemoteScorer) -> tuple[str | None, float | None, str]:
    (found,) = scorer.noticed()
    assert found.name == "rewards_within_0_1"
    return found.verdict, found.known, str(found.detail.get("way_out", ""))


@pytest.mark.parametrize("kind", ["vllm", "tei"])
def test_a_sigmoid_is_noticed_and_named(server: Server, kind: str) -> None:
    server.ignores_switch = True
    scorer = scorer_at(server, kind)
    scorer.score(groups(20))
    verdict, share, way_out = finding(scorer)
    assert (verdict, share) == ("warning", 1.0)
    assert way_out.startswith("All 40 rewards are between 0 and 1: a sigmoid or softmax. For raw rewards ")
    assert ('"problem_type": "regression"' if kind == "vllm" else "raw_scores") in way_out


def test_a_softmax_over_one_label_is_a_problem_at_once(server: Server) -> None:
    server.softmax = True
    scorer = scorer_at(server, "sglang")
    scorer.score(groups(1))
    verdict, share, way_out = finding(scorer)
    assert (verdict, share) == ("problem", 1.0)
    assert "All 2 rewards are exactly 1: a softmax over one label" in way_out
    assert "--is-embedding" in way_out


def test_raw_rewards_that_happen_to_lie_between_0_and_1_are_cleared(server: Server) -> None:
    """The server has a switch, and other numbers with it on: what came with it off was raw."""
    server.rule = lambda row: 0.5 + letters(row) / 40
    scorer = scorer_at(server)
    found = values(scorer.score(groups(30)))
    assert 0 <= min(found) < max(found) <= 1
    asked = len(server.asked)
    assert finding(scorer)[0] == "ok"
    assert [request.body["use_activation"] for request in server.asked[asked:]] == [True] * 3


def test_honest_rewards_and_too_few_raise_nothing(server: Server) -> None:
    scorer = scorer_at(server)
    scorer.score(groups(30))
    assert finding(scorer)[0] == "ok"
    server.ignores_switch = True
    scorer = scorer_at(server)
    scorer.score(groups(4))
    assert finding(scorer)[0] == "too_few"
    assert scorer_at(server).noticed() == []


def test_an_activation_is_noticed_in_what_the_cache_gave(server: Server, tmp_path: Path) -> None:
    server.ignores_switch = True
    for _ in range(2):
        scorer = scorer_at(server, cache=str(tmp_path))
        scorer.score(groups(20))
        assert finding(scorer)[0] == "warning"


def test_numbers_of_rewards_are_those_sent(server: Server) -> None:
    """All digits: what a server writes is what is kept."""
    server.rule = lambda row: math.pi * 1e-7
    assert set(values(scorer_at(server).score(groups(2)))) == {math.pi * 1e-7}
    assert json.loads(json.dumps(math.pi * 1e-7)) == math.pi * 1e-7
