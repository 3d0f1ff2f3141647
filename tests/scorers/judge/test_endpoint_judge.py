"""The judge's server in every state: silent, broken, talking HTML, refusing; and what its key must not reach."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.judge import endpoint_judge
from assay.scorers.protocol import Reward, Scored, Unscored
from tests.scorers.judge.chat_server import CLOSE, Drip, Hang, Raw, always, question, serving
from tests.scorers.judge.judges import one_by_one

GROUP = Candidates(id="g", prompt="p", answers=("fine", "zzz"))
FAULTS: dict[str, tuple[Any, str]] = {
    "html": (
        Raw(content=b"<html><body>Sign in</body></html>", kind="text/html"),
        "HTML, where JSON was expected: '<html><body>Sign",
    ),
    "empty": (Raw(), "answered with nothing, where JSON was expected"),
    "no choices": (Raw(content=b'{"choices": []}'), "no chat completion"),
    "a list": (Raw(content=b"[1]"), "no chat completion"),
    "no text": ("", "no text (finish_reason stop)"),
    "500": (Raw(status=500, content=b"out of memory"), "answered 500: out of memory"),
    "400": (Raw(status=400, content=b"too long"), "answered 400: too long"),
    "moved": (Raw(status=302, headers=(("Location", "http://127.0.0.1:9/"),)), "answered 302"),
    "closed": (CLOSE, "the line to the server broke"),
    "hang": (Hang(4.0), "no answer in 1.5 s"),
    "drip": (Drip(0.05), "no answer in 1.5 s"),
    "huge": (Raw(content=b" " * (5 * 2**20)), "larger than 4 MiB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_its_own_answer_and_says_why(fault: str, tmp_path: Path) -> None:
    reply, told = FAULTS[fault]
    with serving(lambda body: reply if "zzz" in question(body) else "Score: [[7]]") as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, seconds=1.5, concurrency=1)
        ((fine, bad),) = scorer.score([GROUP])
    assert isinstance(fine, Reward)
    assert isinstance(bad, Unscored)
    assert told in bad.reason
    assert len(bad.reason) < 400


def test_what_passes_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_judge, "FIRST_WAIT", 0.01)
    faults = iter([Raw(status=503), Raw(status=429, headers=(("Retry-After", "0.3"),)), CLOSE])
    with serving(lambda _: next(faults, "Score: [[7]]")) as server:
        scorer, began = one_by_one(tmp_path, endpoint=server.address, retries=3), time.monotonic()
        ((found,),) = scorer.score([Candidates(id="g", prompt="p", answers=("a",))])
    assert isinstance(found, Reward)
    assert len(server.seen) == 4
    assert time.monotonic() - began >= 0.3  # as long as it asked for


def test_what_does_not_pass_is_not(tmp_path: Path) -> None:
    with serving(always(Raw(status=400))) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, retries=3)
        scorer.score([GROUP])
    assert len(server.seen) == 2


def test_a_server_that_is_not_there_is_not_asked_a_thousand_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_judge, "FIRST_WAIT", 0.001)
    scorer = one_by_one(tmp_path, endpoint="http://127.0.0.1:9/v1", retries=1, concurrency=2)
    (found,) = scorer.score([Candidates(id="g", prompt="p", answers=tuple(map(str, range(1000))))])
    asked = scorer.judge.requests  # type: ignore[union-attr]
    assert all(isinstance(one, Unscored) for one in found)
    assert "the line to the server broke" in reasons(found)[0]
    assert "the server was given up when 8 requests in a row failed; the last: the line" in reasons(found)[-1]
    assert asked <= 2 * (endpoint_judge.IN_A_ROW + 2)


def reasons(found: tuple[Scored, ...]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Unscored)]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_key_or_model_stops_everything_and_keeps_the_key(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TEST_KEY", "sk-very-secret")
    with serving(always(Raw(status=status, content=b"Incorrect API key provided: sk-very-secret"))) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, key_env="ASSAY_TEST_KEY", concurrency=1)
        with pytest.raises(InputError, match=f"refuses model 'm' with \\$ASSAY_TEST_KEY: {status}") as raised:
            scorer.score([Candidates(id="g", prompt="p", answers=tuple(map(str, range(50))))])
    assert len(server.seen) == 1
    assert server.keys == ["Bearer sk-very-secret"]
    told = [str(raised.value), scorer.name, scorer.fingerprint, repr(scorer.config)]
    assert not any("secret" in text for text in told)


def test_no_key_is_sent_that_was_not_named_and_none_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    with serving(always("Score: [[7]] sk-other")) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address)
        scorer.score([GROUP])
    assert server.keys == [None, None]
    monkeypatch.setenv("ASSAY_TEST_KEY", "sk-very-secret")
    with serving(always(Raw(status=500, content=b"your key is sk-very-secret"))) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, key_env="ASSAY_TEST_KEY")
        (found,) = scorer.score([GROUP])
    assert "your key is [token]" in reasons(found)[0]
    assert not any(b"very-secret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_an_interrupted_judge_asks_only_what_is_left(tmp_path: Path) -> None:
    groups = [Candidates(id=str(n), prompt=f"p{n}", answers=("a", "b")) for n in range(20)]
    with serving(always("Score: [[7]]")) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address)
        first = scorer.score(groups[:8])
        other = one_by_one(tmp_path, endpoint=server.address)
        found = other.score(groups)
        assert len(server.seen) == 40
        assert one_by_one(tmp_path, endpoint=server.address).score(groups) == found
        assert len(server.seen) == 40
        one_by_one(tmp_path, endpoint=server.address, seed=1).score(groups[:1])  # another draw is another question
        assert len(server.seen) == 42
    assert found[:8] == first
    kept = [path for path in (tmp_path / "replies").rglob("*") if path.is_file()]
    assert any(b"Score: [[7]]" in path.read_bytes() for path in kept)
    assert not any(b"p19" in path.read_bytes() for path in kept)


def test_replies_kept_a_file_each_are_read_and_taken_over(tmp_path: Path) -> None:
    """The form before: `ab/abcd....json`, named by address and body. A torn one is asked for again."""
    groups = [Candidates(id=str(n), prompt=f"p{n}", answers=("a",)) for n in range(3)]
    with serving(lambda body: f"Score: [[{3 if 'p0' in question(body) else 7}]]") as server:
        found = one_by_one(tmp_path, endpoint=server.address).score(groups)
        shutil.rmtree(tmp_path / "replies")
        for body in server.seen:
            digest = hashlib.sha256(
                json.dumps(
                    [f"{server.address}/chat/completions", body],
                    sort_keys=True,
                    separators=(",", ":"),
                    ensure_ascii=False,
                ).encode()
            ).hexdigest()
            place = tmp_path / "replies" / digest[:2] / f"{digest}.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            grade = 3 if "p0" in question(body) else 7
            place.write_text('{"rep' if "p1" in question(body) else f'{{"reply":"Score: [[{grade}]]"}}')
        assert one_by_one(tmp_path, endpoint=server.address).score(groups) == found
        assert [question(body).count("p1") for body in server.seen[3:]] == [1]
        for place in (tmp_path / "replies").rglob("*.json"):
            place.unlink()
        assert one_by_one(tmp_path, endpoint=server.address).score(groups) == found
        assert len(server.seen) == 4


def test_a_cache_that_cannot_be_used_costs_no_question(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text("a file, and no folder")
    said = r"the cache of replies cannot be used.*as cache in the judge's file"
    with serving(always("Score: [[7]]")) as server, pytest.raises(InputError, match=said):
        one_by_one(tmp_path, endpoint=server.address).score([GROUP])
    assert server.seen == []


def test_as_many_at_once_as_said(tmp_path: Path) -> None:
    meet = threading.Barrier(4, timeout=10)

    def replies(_: dict[str, Any]) -> str:
        meet.wait()  # goes on only when four stand here
        return "Score: [[7]]"

    with serving(replies) as server:
        scorer = one_by_one(tmp_path, endpoint=server.address, concurrency=4, seconds=20)
        scorer.score([Candidates(id="g", prompt="p", answers=tuple(map(str, range(8))))])
    assert server.most_at_once == 4
