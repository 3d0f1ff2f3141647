"""Odds of a token over an endpoint: by hand from the logprobs a real server returns, and what it may not return."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from assay.errors import ConfigError, InputError
from assay.records import Candidates
from assay.scorers.protocol import Reward, Unscored
from tests.scorers.judge.chat_server import Raw, always, question, serving
from tests.scorers.judge.judges import one_by_one, pairwise

GROUP = Candidates(id="g", prompt="p", answers=("fine", "zzz"))


def tokens(**logprobs: float) -> Raw:
    """A completion with these likeliest first tokens; _ stands for a blank."""
    top = [{"token": name.replace("_", " "), "logprob": log, "bytes": None} for name, log in logprobs.items()]
    first = {**top[0], "top_logprobs": top}
    message = {"role": "assistant", "content": top[0]["token"]}
    choice = {"message": message, "finish_reason": "length", "logprobs": {"content": [first]}}
    return Raw(content=json.dumps({"choices": [choice]}).encode())


def test_odds_by_hand_and_what_is_asked_for(tmp_path: Path) -> None:
    """P(Yes) = .5 + .1 in two spellings, P(No) = .2: log 3. Where No is missing there is a reason and no number."""
    known = tokens(Yes=math.log(0.5), No=math.log(0.2), _Yes=math.log(0.1))
    with serving(lambda body: tokens(Yes=-0.1, Maybe=-2.0) if "zzz" in question(body) else known) as server:
        scorer = one_by_one(tmp_path, mode="probability", endpoint=server.address)
        ((fine, bad),) = scorer.score([GROUP])
        again = one_by_one(tmp_path, mode="probability", endpoint=server.address).score([GROUP])
    assert isinstance(fine, Reward)
    assert fine.value == pytest.approx(math.log(3))
    assert isinstance(bad, Unscored)
    assert "'No' is not among the 2 likeliest tokens" in bad.reason
    assert len(server.seen) == 2  # the second time from the cache
    assert again == [(fine, bad)]
    asked = {name: server.seen[0][name] for name in ("max_tokens", "logprobs", "top_logprobs")}
    assert asked == {"max_tokens": 1, "logprobs": True, "top_logprobs": 20}


def test_pairwise_by_token_in_both_orders(tmp_path: Path) -> None:
    """Shown first, the good answer has log-odds 3; shown second, -1: their margin is (3 + 1) / 2."""

    def replies(body: dict[str, Any]) -> Raw:
        first = question(body).index("fine") < question(body).index("zzz")
        return tokens(A=-0.5, B=-3.5) if first else tokens(B=-0.5, A=-1.5)

    with serving(replies) as server:
        ((fine, bad),) = pairwise(tmp_path, read="token", endpoint=server.address).score([GROUP])
    assert isinstance(fine, Reward)
    assert isinstance(bad, Reward)
    assert fine.value - bad.value == pytest.approx(2.0)


def test_an_endpoint_without_logprobs_stops_the_run_with_the_way_out(tmp_path: Path) -> None:
    with serving(always("Yes")) as server:
        scorer = one_by_one(tmp_path, mode="probability", endpoint=server.address, concurrency=1)
        with pytest.raises(InputError, match=r"returns no top_logprobs for model 'm'.*mode: score"):
            scorer.score([GROUP])
    assert len(server.seen) == 1
    with pytest.raises(ConfigError, match="the same at every vote"):
        one_by_one(tmp_path, mode="probability", endpoint=server.address, votes=3)
