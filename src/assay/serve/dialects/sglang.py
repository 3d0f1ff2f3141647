"""sglang's own `POST /classify` and its `POST /v1/embeddings`, by which verl asks a reward model served there.

`/classify` takes `text` or `input_ids`, which tells it from vLLM's; `/v1/embeddings` takes the OpenAI form, and clients
of that kind ask for base64 unless told otherwise. Read in python/sglang/srt/entrypoints of 0.5.
"""

from __future__ import annotations

import base64
import struct
from typing import Literal

from pydantic import StrictInt

from assay.serve.asked import Asked, Finished, Ids
from assay.serve.dialects.dialect import (
    Answering,
    Dialect,
    Inputs,
    Json,
    Many,
    Parsed,
    RequestBody,
    listed,
    openai_error,
    rows_of,
    validated,
)  # fmt: skip
from assay.serve.refusal import RefusedError

ANY_MODEL = "default"  # what sglang's own client calls whatever is served


class Classify(RequestBody):
    """text or input_ids: one row, or several."""

    model: str | None = None
    text: str | Many[str] | None = None
    input_ids: Many[StrictInt] | Many[Many[StrictInt]] | None = None


class Embeddings(RequestBody):
    """The OpenAI form. dimensions: a reward has one."""

    model: str | None = None
    input: Inputs
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Literal[1] | None = None


def parse_classify(body: Json) -> Parsed:
    given = validated(Classify, body)
    asked: tuple[Asked, ...]
    if given.text is not None and given.input_ids is None:
        single = isinstance(given.text, str)
        asked = tuple(Finished(text=one) for one in ([given.text] if isinstance(given.text, str) else given.text))
    elif given.input_ids is not None and given.text is None:
        single = not given.input_ids or isinstance(given.input_ids[0], int)
        asked = rows_of(given.input_ids) if given.input_ids else (Ids(ids=()),)
    else:
        raise RefusedError(400, "the body: give text or input_ids, one of them")
    return Parsed(asked=asked, model=_named(given.model), memo=single)


def answer_classify(of: Answering) -> object:
    # How many tokens a row has is known of the request as a whole.
    tokens = of.tokens if len(of.results) == 1 else None
    meta = {"id": of.id, "prompt_tokens": tokens, "e2e_latency": of.seconds}
    rows = [{"embedding": [value], "meta_info": meta} for value in of.outputs]
    return rows[0] if of.parsed.memo else rows


def parse_embeddings(body: Json) -> Parsed:
    given = validated(Embeddings, body)
    return Parsed(asked=rows_of(given.input), model=_named(given.model), memo=given.encoding_format)


def answer_embeddings(of: Answering) -> Json:
    data = [
        {"object": "embedding", "index": n, "embedding": _base64(value) if of.parsed.memo == "base64" else [value]}
        for n, value in enumerate(of.outputs)
    ]
    usage = {"prompt_tokens": of.tokens, "total_tokens": of.tokens}
    return {"object": "list", "data": data, "model": of.model, "usage": usage}


def _base64(value: float) -> str:
    """Little-endian float32, as the OpenAI form has it."""
    return base64.b64encode(struct.pack("<f", value)).decode()


def _named(model: str | None) -> str | None:
    return None if model == ANY_MODEL else model


SGLANG_CLASSIFY = Dialect(
    name="sglang", paths=("/classify",), shape='{"text": text or texts} or {"input_ids": ids}',
    takes=lambda body: "text" in body or "input_ids" in body, count=listed("text", "input_ids"), parse=parse_classify,
    answer=answer_classify, error=openai_error,
)  # fmt: skip
SGLANG_EMBEDDINGS = Dialect(
    name="sglang-embeddings", paths=("/v1/embeddings",), shape='{"input": text, texts or ids}',
    takes=lambda body: "input" in body, count=listed("input"), parse=parse_embeddings,
    answer=answer_embeddings, error=openai_error,
)  # fmt: skip
