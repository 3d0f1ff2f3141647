"""reference-*.json: log-probabilities of completions under one reference model, by the hash of what they are of."""

from __future__ import annotations

from typing import ClassVar

from assay.artifacts.body import Body


class ReferenceBody(Body):
    """fingerprint: of the model and its precision. logprobs: summed, in nats, by hash of tokens and prompt length."""

    SCHEMA: ClassVar[str] = "reference/1"

    fingerprint: str
    logprobs: dict[str, float]
