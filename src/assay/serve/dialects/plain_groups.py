"""assay's own `POST /v1/score`: groups of a prompt and its answers, with all that a scorer says of each answer.

Rewards, heads (objectives, or members of an ensemble), the uncertainty of an ensemble, and for an answer without a
reward the reason in its place. The one dialect in which a row that cannot be scored costs no other of its request.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, JsonValue

from assay.scorers.protocol import Reward, Scored, Unscored
from assay.serve.asked import turns
from assay.serve.dialects.dialect import (
    Answering,
    Dialect,
    Json,
    Many,
    Parsed,
    RequestBody,
    TextBody,
    openai_error,
    text_of_body,
    validated,
)  # fmt: skip
from assay.serve.refusal import RefusedError


class Group(RequestBody):
    """source: what a verifier is told beside the prompt, such as the reference answer."""

    id: str | None = Field(None, max_length=512)
    prompt: TextBody
    answers: Many[TextBody]
    source: dict[str, JsonValue] = Field(default_factory=dict)


class ScoreGroups(RequestBody):
    model: str | None = None
    groups: Many[Group]


def count(body: Json) -> int:
    """Answers, or groups where these are more."""
    groups = body["groups"] if isinstance(body["groups"], list) else []
    answers = (one.get("answers") for one in groups if isinstance(one, dict))
    return max(len(groups), sum(len(several) for several in answers if isinstance(several, list)))


def parse(body: Json) -> Parsed:
    given = validated(ScoreGroups, body)
    for place, group in enumerate(given.groups):
        if group.prompt == [] or any(one == [] for one in group.answers):
            raise RefusedError(400, f"groups.{place}: a conversation without a turn")
    # A prompt is made once for all of its answers: a long conversation for each would be gigabytes of turns.
    prompts = [(text_of_body(group.prompt), group) for group in given.groups]
    asked = tuple(turns(prompt, text_of_body(one), group.source) for prompt, group in prompts for one in group.answers)
    return Parsed(
        asked=asked, model=given.model, whole=False,
        groups=[(group.id, len(group.answers)) for group in given.groups],
    )  # fmt: skip


def answer(of: Answering) -> Json:
    named = of.parsed.groups
    assert named is not None
    groups, start = [], 0
    for name, count in named:
        results = of.results[start : start + count]
        uncertainty = of.uncertainty[start : start + count]
        groups.append(_group(name, results, uncertainty))
        start += count
    usage = {"total_tokens": of.tokens}
    told = {"object": "scores", "id": of.id, "model": of.model, "fingerprint": of.fingerprint}
    return {**told, "groups": groups, "usage": usage}


def _group(name: str | None, results: Sequence[Scored], uncertainty: Sequence[float | None]) -> Json:
    """As a line of a score file: null for an answer without a reward and the reason beside it."""
    found: dict[str, object] = {} if name is None else {"id": name}
    found["rewards"] = [one.value if isinstance(one, Reward) else None for one in results]
    reasons = [one.reason if isinstance(one, Unscored) else None for one in results]
    if any(reasons):
        found["reasons"] = reasons
    heads = [dict(one.heads) or None if isinstance(one, Reward) else None for one in results]
    if any(heads):
        found["heads"] = heads
    if any(one is not None for one in uncertainty):
        found["uncertainty"] = list(uncertainty)
    return found


GROUPS = Dialect(
    name="assay", paths=("/v1/score",), shape='{"groups": [{"prompt": text, "answers": [text, ...]}, ...]}',
    takes=lambda body: "groups" in body, count=count, parse=parse, answer=answer, error=openai_error,
)  # fmt: skip
