"""What stands in capability.json: what one language model can do on questions, and what it lost against another."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody, IntervalBody

_PART = ConfigDict(frozen=True, extra="forbid")
OutcomeWord = Literal["within", "worse", "underpowered", "at_chance", "alone"]

CAPABILITY = "capability.json"  # the file, in the folder of a test or of a conclusion


class AskedModelBody(BaseModel):
    """A model that was asked. answers: its file of answers in the folder."""

    model_config = _PART

    name: str
    fingerprint: str
    answers: str


class WayBody(BaseModel):
    """One way of asking. drop: right before minus right after; bounds: each one-sided at (1 + level) / 2.

    guess, guess_rule: the best rule without ability, and beyond: how far the model before is above it. lost, gained:
    questions right before only, and after only. questions_needed, if_nothing_lost: in all, for a decision in four of
    five cases at the drop seen, or at none; null where decided. rests: whether the verdict rests on this way.
    """

    model_config = _PART

    asked: str
    outcome: OutcomeWord
    reason: str
    rests: bool
    n: int
    subjects: int
    before: float | None
    before_interval: IntervalBody | None
    after: float | None
    after_interval: IntervalBody | None
    drop: float | None
    bounds: IntervalBody | None
    guess: float | None
    guess_rule: str | None
    beyond: IntervalBody | None
    lost: int
    gained: int
    mcnemar_p: float | None
    questions_needed: int | None
    if_nothing_lost: int | None


class LeftOutBody(BaseModel):
    """A question that a model could not read whole."""

    model_config = _PART

    id: str
    asked: str
    why: str


class CapabilityBody(Body):
    """model: after; against: before, null where only one was asked. outcome "alone": one model, above guessing.

    notes: what a reader has to know of how the two were asked. inputs: hashes of the question files.
    """

    SCHEMA: ClassVar[str] = "capability/1"

    outcome: OutcomeWord
    sentence: str
    model: AskedModelBody
    against: AskedModelBody | None
    questions: int
    shots: int
    ways: list[WayBody]
    left_out: list[LeftOutBody]
    notes: list[str]
    config: dict[str, JsonValue]
    inputs: dict[str, str]
    findings: list[FindingBody]
    assay_version: str
    versions: dict[str, str]
    command: str
