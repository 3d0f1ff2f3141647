"""fresh_study.json, in the folder of a tuned policy's run: the blind study written, and whose answers it holds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body

FRESH_STUDY = "fresh_study.json"
_PART = ConfigDict(frozen=True, extra="forbid")


class AnsweringBody(BaseModel):
    """A side of the study. policy, fingerprint, template: of what answered. answers: its file in the run folder."""

    model_config = _PART

    policy: str
    fingerprint: str
    template: str
    answers: str
    sha256: str


class FreshStudyBody(Body):
    """seed: of the tuned policy that answered. prompts: asked. shown: those that are judged. aside: the others, by why.

    config: the options it was made with. inputs: hashes of the files read. power: what this design can see, in words.
    notes: what an owner has to know of it.
    """

    SCHEMA: ClassVar[str] = "fresh_study/1"

    id: str
    study: str
    links: str
    seed: int
    base: AnsweringBody
    tuned: AnsweringBody
    prompts: int
    shown: int
    showings: int
    editors: dict[str, str]
    aside: dict[str, int]
    power: dict[str, JsonValue]
    sentence: str
    notes: tuple[str, ...]
    config: dict[str, JsonValue]
    inputs: dict[str, str]
