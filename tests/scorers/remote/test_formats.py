"""What is sent to each server and what its answers mean, held against the bodies in their documents."""

from __future__ import annotations

import math
from typing import Any

import pytest

from assay.endpoints.failure import AnswerError
from assay.errors import ConfigError
from assay.scorers.remote.config import Kind, Route
from assay.scorers.remote.formats import FORMATS, Format, Sent, find_format, tokens_told

IDS = [Sent(how="ids", value=(1, 5, 2), tokens=3), Sent(how="ids", value=(1, 6, 2), tokens=3)]
TEXTS = [Sent(how="text", value="one", prompt="p"), Sent(how="text", value="two", prompt="q")]
PAIRS = [Sent(how="pair", value=["p", "a"]), Sent(how="pair", value=["q", "b"])]
CHAT = [Sent(how="messages", value=[{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}])]
EVERY = [(kind, route) for kind, routes in FORMATS.items() for route in routes]


@pytest.mark.parametrize(
    ("kind", "route", "rows", "body"),
    [
        ("vllm", "classify", IDS, {"model": "m", "input": [[1, 5, 2], [1, 6, 2]], "use_activation": False}),
        (
            "vllm", "classify", CHAT,
            {"model": "m", "messages": CHAT[0].value, "add_generation_prompt": False, "use_activation": False},
        ),
        (
            "vllm", "pooling", TEXTS,
            {
                "model": "m", "input": ["one", "two"], "use_activation": False, "task": "classify",
                "encoding_format": "float",
            },
        ),
        ("sglang", "classify", TEXTS, {"model": "m", "text": ["one", "two"]}),
        ("sglang", "classify", IDS, {"model": "m", "input_ids": [[1, 5, 2], [1, 6, 2]]}),
        ("sglang", "embeddings", IDS, {"model": "m", "input": [[1, 5, 2], [1, 6, 2]], "encoding_format": "float"}),
        ("tei", "predict", TEXTS, {"inputs": [["one"], ["two"]], "raw_scores": True, "truncate": False}),
        ("tei", "predict", PAIRS, {"inputs": [["p", "a"], ["q", "b"]], "raw_scores": True, "truncate": False}),
        ("openrlhf", "get_reward", TEXTS, {"query": ["one", "two"], "prompts": ["p", "q"], "labels": ["", ""]}),
    ],
)  # fmt: skip
def test_bodies(kind: Kind, route: Route, rows: list[Sent], body: dict[str, Any]) -> None:
    assert find_format(kind, route).body(rows, "m", False) == body


def test_the_activation_is_left_to_the_server_only_when_asked_for() -> None:
    assert find_format("vllm", None).body(TEXTS, None, True)["use_activation"] is True
    assert find_format("tei", None).body(TEXTS, None, True)["raw_scores"] is False


def data(key: str, *rows: tuple[int, list[Any]]) -> dict[str, Any]:
    return {"object": "list", "data": [{"index": place, key: values} for place, values in rows]}


ANSWERS: dict[tuple[Kind, Route], Any] = {
    ("vllm", "classify"): data("probs", (1, [-2.5]), (0, [7])),  # as the results came: the index tells the row
    ("vllm", "pooling"): data("data", (0, [7.0]), (1, [-2.5])),
    ("sglang", "classify"): [{"embedding": [7.0], "meta_info": {}}, {"embedding": [-2.5], "meta_info": {}}],
    ("sglang", "embeddings"): data("embedding", (1, [-2.5]), (0, [7.0])),
    ("tei", "predict"): [[{"label": "LABEL_0", "score": 7.0}], [{"label": "LABEL_0", "score": -2.5}]],
    ("openrlhf", "get_reward"): {"rewards": [7.0, -2.5], "scores": [0.9, 0.1], "extra_logs": {}},
}


@pytest.mark.parametrize("route", EVERY, ids=str)
def test_answers(route: tuple[Kind, Route]) -> None:
    assert find_format(*route).rewards(ANSWERS[route], 2, None) == [7.0, -2.5]


@pytest.mark.parametrize("route", EVERY, ids=str)
@pytest.mark.parametrize("n", [1, 3])
def test_another_number_of_rows_is_no_answer(route: tuple[Kind, Route], n: int) -> None:
    with pytest.raises(AnswerError, match=f"answered for 2 rows where {n} were sent"):
        find_format(*route).rewards(ANSWERS[route], n, None)


@pytest.mark.parametrize("route", EVERY, ids=str)
@pytest.mark.parametrize("answer", [None, "sorry", 3, {}, [], {"data": "x"}, {"error": "busy"}, [None, None], [[], []]])
def test_anything_else_is_no_answer(route: tuple[Kind, Route], answer: object) -> None:
    with pytest.raises(AnswerError):
        find_format(*route).rewards(answer, 2, None)


@pytest.mark.parametrize("value", [None, "7.0", True, [7.0], {}])
def test_what_is_no_number_is_no_reward(value: object) -> None:
    for kind, route, answer in (
        ("vllm", "classify", data("probs", (0, [value]))),
        ("sglang", "classify", [{"embedding": [value]}]),
        ("tei", "predict", [[{"label": "a", "score": value}]]),
        ("openrlhf", "get_reward", {"rewards": [[value]]}),
    ):
        with pytest.raises(AnswerError, match="where a number should stand"):
            FORMATS[kind][route].rewards(answer, 1, None)  # type: ignore[index]


def test_nan_is_handed_on_to_be_named() -> None:
    assert math.isnan(find_format("openrlhf", None).rewards({"rewards": [math.nan]}, 1, None)[0])


def test_rows_of_other_places_are_no_answer() -> None:
    for places in ((0, 0), (1, 2), (None, 1)):
        answer = data("probs", *((place, [1.0]) for place in places))  # type: ignore[misc]
        with pytest.raises(AnswerError, match="not for the 2 that were sent"):
            find_format("vllm", None).rewards(answer, 2, None)


def test_of_several_outputs_one_has_to_be_named() -> None:
    vllm, tei = find_format("vllm", None), find_format("tei", None)
    with pytest.raises(AnswerError, match=r"3 outputs a row and not one reward.*remote\.label"):
        vllm.rewards(data("probs", (0, [1, 2, 3])), 1, None)
    assert vllm.rewards(data("probs", (0, [1, 2, 3])), 1, 2) == [3.0]
    with pytest.raises(AnswerError, match=r"outputs 0 to 2; remote\.label names 3"):
        vllm.rewards(data("probs", (0, [1, 2, 3])), 1, 3)
    # Sorted by score, as TEI does: by name, and not by place.
    rows = [[{"label": "good", "score": 2.0}, {"label": "LABEL_0", "score": 1.0}]]
    assert [tei.rewards(rows, 1, label) for label in ("good", 0)] == [[2.0], [1.0]]
    with pytest.raises(AnswerError, match=r"it has the labels good, LABEL_0; remote\.label names 7"):
        tei.rewards(rows, 1, 7)
    with pytest.raises(AnswerError, match="2 outputs"):
        tei.rewards(rows, 1, None)


def test_single_rows_without_the_outer_list() -> None:
    assert find_format("tei", None).rewards([{"label": "LABEL_0", "score": 7.0}], 1, None) == [7.0]
    assert find_format("sglang", None).rewards({"embedding": [7.0]}, 1, None) == [7.0]


def test_tokens_a_server_tells() -> None:
    assert tokens_told({"usage": {"prompt_tokens": 12}}) == 12
    assert tokens_told([{"meta_info": {"prompt_tokens": 3}}, {"meta_info": {"prompt_tokens": 4}}]) == 7
    assert [tokens_told(answer) for answer in ({}, [], None, [{"label": "a"}], {"usage": None})] == [None] * 5


def test_a_route_a_server_lacks() -> None:
    with pytest.raises(ConfigError, match=r"tei has no pooling\. It has predict"):
        find_format("tei", "pooling")
    assert isinstance(find_format("sglang", None), Format)
