"""Rerankers' `POST /rerank`, `/v1/rerank` and `/v2/rerank`, as Cohere, Jina and vLLM have them: query and documents.

The query is the prompt, each document an answer; `relevance_score` is the raw reward, not a share of 1. Documents are
sent back only where `return_documents` asks for them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assay.serve.asked import turns
from assay.serve.dialects.dialect import Answering, Dialect, Json, Many, Parsed, RequestBody, listed, validated


class Document(RequestBody):
    text: str


class Rerank(RequestBody):
    """top_n: how many of the best are told; none or 0 for all. truncate_prompt_tokens: vLLM's; nothing is cut."""

    model: str | None = None
    query: str
    documents: Many[str | Document]
    top_n: int | None = Field(None, ge=0)
    return_documents: bool = False
    use_activation: bool | None = None
    truncate_prompt_tokens: Literal[-1] | None = None


def parse(body: Json) -> Parsed:
    given = validated(Rerank, body)
    texts = [one if isinstance(one, str) else one.text for one in given.documents]
    return Parsed(
        asked=tuple(turns(given.query, text) for text in texts),
        model=given.model,
        activated=bool(given.use_activation),
        memo=(given.top_n or len(texts), texts if given.return_documents else None),
    )


def answer(of: Answering) -> Json:
    memo = of.parsed.memo
    assert isinstance(memo, tuple)
    top_n, texts = memo
    # Of equal rewards the first stays first: sorting is stable.
    ranked = sorted(enumerate(of.outputs), key=lambda one: -one[1])[:top_n]
    results = [
        {"index": place, "relevance_score": value, **({} if texts is None else {"document": {"text": texts[place]}})}
        for place, value in ranked
    ]
    usage = {"prompt_tokens": of.tokens, "total_tokens": of.tokens}
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return {"id": of.id, "model": of.model, "results": results, "usage": usage, "meta": meta}


def error(status: int, told: str) -> Json:
    return {"message": told, "detail": told, "code": status}


DOCUMENTS = Dialect(
    name="rerank", paths=("/rerank", "/v1/rerank", "/v2/rerank"), shape='{"query": text, "documents": [text, ...]}',
    takes=lambda body: "documents" in body, count=listed("documents"), parse=parse, answer=answer, error=error,
)  # fmt: skip
