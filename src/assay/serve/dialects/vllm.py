"""vLLM's `POST /classify`: texts, token ids or one chat, and what verl's reward loop sends there.

`data[n].probs[0]` is the raw reward unless `use_activation` is true (`activation`, as clients before vLLM 0.11.2 call
it). vLLM by itself gives a sigmoid unless told otherwise, and a reward is not a probability. Read in
vllm/frontend/entrypoints/pooling (main, September 2026) and verl/experimental/reward_loop.
"""

from __future__ import annotations

import time
from typing import Literal

from assay.serve.dialects.dialect import (
    Answering,
    Dialect,
    Inputs,
    Json,
    Many,
    MessageBody,
    Parsed,
    RequestBody,
    conversation,
    listed,
    openai_error,
    rows_of,
    validated,
)  # fmt: skip
from assay.serve.refusal import RefusedError


class Classify(RequestBody):
    """input, or messages. truncate_prompt_tokens: -1 asks for a cut to what the model reads, and nothing is cut."""

    model: str | None = None
    input: Inputs | None = None
    messages: Many[MessageBody] | None = None
    use_activation: bool | None = None
    activation: bool | None = None
    truncate_prompt_tokens: Literal[-1] | None = None
    add_generation_prompt: Literal[False] | None = None
    continue_final_message: Literal[False] | None = None
    chat_template: None = None
    chat_template_kwargs: None = None


def parse(body: Json) -> Parsed:
    given = validated(Classify, body)
    if (given.input is None) == (given.messages is None):
        raise RefusedError(400, "the body: give input or messages, one of them")
    asked = rows_of(given.input) if given.input is not None else (conversation(given.messages or ()),)
    return Parsed(asked=asked, model=given.model, activated=bool(given.use_activation or given.activation))


def answer(of: Answering) -> Json:
    data = [{"index": n, "label": "LABEL_0", "probs": [value], "num_classes": 1} for n, value in enumerate(of.outputs)]
    return {
        "id": f"classify-{of.id}", "object": "list", "created": int(time.time()), "model": of.model, "data": data,
        "usage": {
            "prompt_tokens": of.tokens, "total_tokens": of.tokens, "completion_tokens": 0,
            "prompt_tokens_details": None,
        },
    }  # fmt: skip


VLLM = Dialect(
    name="vllm", paths=("/classify",), shape='{"input": text, texts or ids} or {"messages": [...]}',
    takes=lambda body: "input" in body or "messages" in body, count=listed("input"), parse=parse, answer=answer,
    error=openai_error,
)  # fmt: skip
