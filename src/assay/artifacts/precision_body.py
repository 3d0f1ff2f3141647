"""precision.json, beside a seed that is being trained: the precision it began with, so that it goes on in no other."""

from __future__ import annotations

from typing import ClassVar, Literal

from assay.artifacts.body import Body


class PrecisionBody(Body):
    """What was asked for and what is used; factor: bf16's rate by float32's, where it was measured."""

    SCHEMA: ClassVar[str] = "precision/1"

    asked: Literal["auto", "float32", "bf16"]
    used: Literal["float32", "bf16"]
    factor: float | None = None
