"""OpenRLHF's remote reward model: `POST /get_reward` of finished texts, one sample a request, or none.

With several servers all but the first are sent empty lists, which must be answered. Texts are decoded with the policy's
special tokens: the policy and the reward have to share a template, and one that differs is refused, row by row. Read in
openrlhf/utils/agent.py of 0.11 and openrlhf/cli/serve_rm.py.
"""

from __future__ import annotations

from assay.serve.asked import Finished
from assay.serve.dialects.dialect import Answering, Dialect, Json, Many, Parsed, RequestBody, listed, validated


class GetReward(RequestBody):
    """query: prompts with their answers. What stands in prompts and labels is in the query already."""

    query: str | Many[str]


def parse(body: Json) -> Parsed:
    query = validated(GetReward, body).query
    texts = [query] if isinstance(query, str) else query
    return Parsed(asked=tuple(Finished(text=text) for text in texts))


def answer(of: Answering) -> Json:
    # `extra_logs` is averaged by key into the trainer's own logs.
    return {"rewards": of.outputs, "scores": of.outputs, "extra_logs": {}}


def error(status: int, told: str) -> Json:
    return {"error": told, "code": status}


OPENRLHF = Dialect(
    name="openrlhf", paths=("/get_reward",), shape='{"query": [text, ...]}', takes=lambda body: "query" in body,
    count=listed("query"), parse=parse, answer=answer, error=error,
)  # fmt: skip
