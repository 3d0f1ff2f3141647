"""Every option is read: changed, it changes what is sent, what is given, or how long it takes to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assay.errors import AssayError
from assay.records import Candidates
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.remote_scorer import REWARDS, RemoteScorer
from tests.support import saved_models
from tests.support.reward_server import Answer, Request, Server

GROUPS = [Candidates(id=str(n), prompt=f"Question {n}?", answers=(f"Yes {n}.", f"No {n}.")) for n in range(6)]
Fault = Callable[[Request, Answer], Answer]


def busy(request: Request, answer: Answer) -> Answer:
    return Answer(status=500) if request.method == "POST" else answer


def wait_long(request: Request, answer: Answer) -> Answer:
    return Answer(status=429, headers={"Retry-After": "2"}) if request.method == "POST" else answer


# Options beside `kind` and `url`, and the fault under which each shows.
CASES: Mapping[str, tuple[dict[str, object], object, Fault | None]] = {
    "kind": ({}, "tei", None),
    "url": ({}, "http://127.0.0.1:1", None),
    "model": ({}, "other", None),
    "route": ({}, "pooling", None),
    "revision": ({}, "2", None),
    "tokenizer": ({}, "MODEL", None),
    "template": ({}, "plain", None),
    "label": ({}, 1, None),
    "row_tokens": ({"tokenizer": "MODEL"}, 4, None),
    "batch": ({"template": "plain"}, 4, None),
    "concurrency": ({}, 1, None),
    "timeout": (
        {"retries": 0, "concurrency": 1, "give_up": 1},
        0.05,
        lambda request, answer: Answer(answer.body, wait=0.3),
    ),
    "retries": ({}, 0, busy),
    "backoff": ({"retries": 1, "concurrency": 1, "give_up": 1}, 4.0, busy),
    "longest_wait": ({"retries": 1, "give_up": 1}, 1.0, wait_long),
    "give_up": ({"concurrency": 1}, 2, busy),
    "max_requests": ({}, 3, None),
    "max_tokens": ({"concurrency": 1}, 50, None),
    "max_seconds": ({"concurrency": 1}, 0.01, lambda request, answer: Answer(answer.body, wait=0.05)),
    "cache": ({}, "FOLDER", None),
}


def test_there_is_a_case_for_every_option() -> None:
    assert CASES.keys() == RemoteConfig.model_fields.keys()


@pytest.mark.parametrize("name", CASES)
def test_every_option_is_read(name: str, tmp_path: Path) -> None:
    options, value, fault = CASES[name]
    given = {"MODEL": str(saved_models.reward_model(tmp_path)) if "MODEL" in (*options.values(), value) else ""}
    places = {**given, "FOLDER": str(tmp_path / "cache")}
    base = {"cache": "off", "backoff": 0.001, "retries": 1, **options}
    seen = []
    for more in ({}, {name: value}):
        with Server(delay=0.01) as server:
            server.models = ["tiny"]
            if fault is not None:
                server.fault = fault
            chosen = {"kind": "vllm", "url": server.url, **base, **more}
            seen.append(outcome(server, {key: places.get(str(one), one) for key, one in chosen.items()}))
    assert seen[0] != seen[1]


def outcome(server: Server, options: Mapping[str, object]) -> object:
    """What can be seen of one scoring: results or the error, requests, how many at once, the cache, the pauses."""
    try:
        scorer = RemoteScorer(RemoteConfig.build(options))
        results: object = scorer.score(GROUPS)
        named = scorer.config.revision
    except AssayError as error:
        results, named = str(error).replace(str(server.port), ""), None
    cached = (Path(str(options["cache"])) / REWARDS.file).exists()
    bodies = sorted(str(request.body) for request in server.asked)
    return results, named, bodies, server.most_at_once == 1, cached, server.most_pause > 1.9
