"""What each server is sent and what it answers: rows -> body of a request, body of an answer -> one reward a row.

An answer is read strictly: another number of rows, rows of other places, several outputs where one is the reward, or
what is no number, is an AnswerError and never a reward. Knows JSON; knows no HTTP.

Read in the servers' sources and documents: vLLM main of September 2026 (`use_activation` since 0.12), sglang 0.5,
text-embeddings-inference 1.9, OpenRLHF 0.11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.endpoints.failure import AnswerError
from assay.errors import ConfigError
from assay.scorers.remote.config import Kind, Route

How = Literal["ids", "text", "messages", "pair"]
Label = int | str | None
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One row as it goes to the server.

    value: token ids, a text, messages, or the two texts of a pair. prompt: in plain words, for formats that have a
    place for it. tokens: how many it has, where that is known here.
    """

    how: How
    value: object
    prompt: str = ""
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One route of one server.

    takes: ways to send a row, the best first. body: rows, the model's name, and whether outputs pass an activation.
    rewards: what the answer holds for n rows. switch: whether the server can be told to leave the activation out, and
    the way out where it passed one all the same. info, identity: where it says what it serves, and which of it counts.
    adds_bos: the server puts a BOS before texts, so that a rendered text must come without. tells_tokens: it says how
    many tokens a request had.
    """

    path: str
    takes: Sequence[How]
    body: Callable[[Sequence[Sent], str | None, bool], Json]
    rewards: Callable[[object, int, Label], list[float]]
    switch: bool
    way_out: str
    info: str | None
    identity: Sequence[str] = ()
    adds_bos: bool = True
    tells_tokens: bool = True


def find_format(kind: Kind, route: Route | None) -> Format:
    """The format of a server's route; its first by default. Raises ConfigError for a route the server lacks."""
    routes = FORMATS[kind]
    found = routes.get(route) if route else next(iter(routes.values()))
    if found is None:
        raise ConfigError(f"remote.route: {kind} has no {route}. It has {', '.join(routes)}.")
    return found


def tokens_told(answer: object) -> int | None:
    """How many tokens the server says a request had, None where it does not say."""
    if isinstance(answer, Mapping) and isinstance(usage := answer.get("usage"), Mapping):
        told = usage.get("prompt_tokens")
        return told if isinstance(told, int) else None
    if isinstance(answer, list) and answer and all(isinstance(row, Mapping) for row in answer):
        metas = [row.get("meta_info") for row in answer]
        counts = [meta.get("prompt_tokens") for meta in metas if isinstance(meta, Mapping)]
        known = [count for count in counts if isinstance(count, int)]
        return sum(known) if known and len(known) == len(metas) else None
    return None


def _openai_input(rows: Sequence[Sent]) -> Json:
    if rows[0].how == "messages":  # one conversation a request is all this form holds
        return {"messages": rows[0].value, "add_generation_prompt": False}
    return {"input": [list(row.value) if isinstance(row.value, tuple) else row.value for row in rows]}


def _named(model: str | None) -> Json:
    return {} if model is None else {"model": model}


def _vllm_classify(rows: Sequence[Sent], model: str | None, activated: bool) -> Json:
    return {**_named(model), **_openai_input(rows), "use_activation": activated}


def _vllm_pooling(rows: Sequence[Sent], model: str | None, activated: bool) -> Json:
    return {**_vllm_classify(rows, model, activated), "task": "classify", "encoding_format": "float"}


def _sglang_classify(rows: Sequence[Sent], model: str | None, _: bool) -> Json:
    given = _openai_input(rows)["input"]
    return {**_named(model), ("text" if rows[0].how == "text" else "input_ids"): given}


def _sglang_embeddings(rows: Sequence[Sent], model: str | None, _: bool) -> Json:
    return {**_named(model), **_openai_input(rows), "encoding_format": "float"}


def _tei_predict(rows: Sequence[Sent], _: str | None, activated: bool) -> Json:
    # A list of lists is a batch whatever stands in it; a flat list of two would be one pair.
    inputs = [row.value if row.how == "pair" else [row.value] for row in rows]
    return {"inputs": inputs, "raw_scores": not activated, "truncate": False}


def _openrlhf(rows: Sequence[Sent], _: str | None, __: bool) -> Json:
    return {
        "query": [row.value for row in rows],
        "prompts": [row.prompt for row in rows],
        "labels": ["" for _ in rows],
    }


def _read_data(key: str) -> Callable[[object, int, Label], list[float]]:
    """A reader of `{"data": [{"index": 0, key: [..]}, ...]}`; rows are put in the order of their index."""

    def rewards(answer: object, n: int, label: Label) -> list[float]:
        if not isinstance(answer, Mapping) or not isinstance(answer.get("data"), list):
            raise AnswerError(f'its answer has no list "data": {_shown(answer)}')
        rows = _rows(answer["data"], n)
        found = [row if isinstance(row, Mapping) else {} for row in rows]
        places = [row.get("index") for row in found]
        if sorted(places, key=str) != sorted(range(n), key=str):
            raise AnswerError(f"its answer is for rows {_shown(places)}, not for the {n} that were sent")
        by_place = dict(zip(places, found, strict=True))
        return [_one(by_place[place].get(key), label, key) for place in range(n)]

    return rewards


def _read_sglang(answer: object, n: int, label: Label) -> list[float]:
    rows = [answer] if isinstance(answer, Mapping) and n == 1 else answer
    found = [row.get("embedding") if isinstance(row, Mapping) else None for row in _rows(rows, n)]
    return [_one(row, label, "embedding") for row in found]


def _read_tei(answer: object, n: int, label: Label) -> list[float]:
    rows = _rows(answer, n)
    if n == 1 and isinstance(rows[0], Mapping):  # asked for one row, some versions answer without the outer list
        rows = [rows]
    found = []
    for row in rows:
        if not isinstance(row, list) or not all(isinstance(one, Mapping) for one in row):
            raise AnswerError(f"a row of its answer is no list of labels and scores: {_shown(row)}")
        # Sorted by score, so that an output is told by its name and never by its place.
        scores = {str(one.get("label")): one.get("score") for one in row}
        if label is not None:
            name = label if str(label) in scores else f"LABEL_{label}"
            if str(name) not in scores:
                raise AnswerError(f"it has the labels {', '.join(scores)}; remote.label names {label}")
            found.append(_number(scores[str(name)]))
        else:
            found.append(_one(list(scores.values()), None, "labels"))
    return found


def _read_openrlhf(answer: object, n: int, label: Label) -> list[float]:
    if not isinstance(answer, Mapping) or "rewards" not in answer:
        raise AnswerError(f'its answer has no list "rewards": {_shown(answer)}')
    return [_one(row if isinstance(row, list) else [row], label, "rewards") for row in _rows(answer["rewards"], n)]


def _rows(rows: object, n: int) -> list[object]:
    if not isinstance(rows, list):
        raise AnswerError(f"its answer is no list of rows: {_shown(rows)}")
    if len(rows) != n:
        raise AnswerError(f"it answered for {len(rows)} rows where {n} were sent")
    return rows


def _one(values: object, label: Label, key: str) -> float:
    """The reward among a row's outputs."""
    if not isinstance(values, list) or not values:
        raise AnswerError(f"a row of its answer has no {key}: {_shown(values)}")
    if label is not None:
        if not isinstance(label, int) or not 0 <= label < len(values):
            raise AnswerError(f"a row has outputs 0 to {len(values) - 1}; remote.label names {label}")
        return _number(values[label])
    if len(values) > 1:
        raise AnswerError(
            f"it gives {len(values)} outputs a row and not one reward: say which is the reward with remote.label, or "
            "serve a model with one output (not one that gives a reward for each token, or an embedding)"
        )
    return _number(values[0])


def _number(value: object) -> float:
    """A JSON number, NaN included: what is not finite is named where rewards are made."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerError(f"it gave {_shown(value)} where a number should stand")
    try:
        return float(value)
    except OverflowError:  # of a whole number; 1e999 is infinity already
        return math.inf if value > 0 else -math.inf


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


VLLM_WAY_OUT = (
    'save the model with "problem_type": "regression" in its config.json, or take a vLLM that reads use_activation'
)
SGLANG_WAY_OUT = (
    "start sglang with --is-embedding and ask /classify or /v1/embeddings (its /v1/classify is a softmax over labels)"
)
FORMATS: Mapping[Kind, Mapping[Route, Format]] = {
    "vllm": {
        "classify": Format(
            path="/classify", takes=("ids", "messages", "text"), body=_vllm_classify, rewards=_read_data("probs"),
            switch=True, way_out=VLLM_WAY_OUT, info="/v1/models", identity=("id", "root", "parent", "max_model_len"),
        ),
        "pooling": Format(
            path="/pooling", takes=("ids", "messages", "text"), body=_vllm_pooling, rewards=_read_data("data"),
            switch=True, way_out=VLLM_WAY_OUT, info="/v1/models", identity=("id", "root", "parent", "max_model_len"),
        ),
    },
    "sglang": {
        "classify": Format(
            path="/classify", takes=("ids", "text"), body=_sglang_classify, rewards=_read_sglang, switch=False,
            way_out=SGLANG_WAY_OUT, info="/get_model_info", identity=("model_path", "weight_version"),
        ),
        "embeddings": Format(
            path="/v1/embeddings", takes=("ids", "text"), body=_sglang_embeddings, rewards=_read_data("embedding"),
            switch=False, way_out=SGLANG_WAY_OUT, info="/get_model_info", identity=("model_path", "weight_version"),
        ),
    },
    "tei": {
        "predict": Format(
            path="/predict", takes=("pair", "text"), body=_tei_predict, rewards=_read_tei, switch=True,
            way_out="take a TEI that reads raw_scores, or serve a model with one output", info="/info",
            identity=("model_id", "model_sha", "model_dtype", "version"), tells_tokens=False,
        ),
    },
    "openrlhf": {
        "get_reward": Format(
            path="/get_reward", takes=("text",), body=_openrlhf, rewards=_read_openrlhf, switch=False,
            way_out="serve the head's own output, without an activation", info=None, adds_bos=False, tells_tokens=False,
        ),
    },
}  # fmt: skip
