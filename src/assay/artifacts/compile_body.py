"""compile.json, beside a seed that is being trained: whether its layers are compiled; it goes on as it began."""

from __future__ import annotations

from typing import ClassVar, Literal

from assay.artifacts.body import Body

Reason = Literal["asked", "gpu", "rows", "layers", "parts", "compiler", "short", "failed", "differs", "measured"]


class CompileBody(Body):
    """What was asked for, what the seed began with, and why.

    passes: forward and backward passes of the whole training, in passes of the size that was timed. plain_seconds and
    compiled_seconds: processor time of one, where it was measured. error: why the layers could not be compiled, and so
    ran plain.
    """

    SCHEMA: ClassVar[str] = "compile/1"

    asked: Literal["auto", "on", "off"]
    used: Literal["on", "off"]
    reason: Reason
    passes: int | None = None
    plain_seconds: float | None = None
    compiled_seconds: float | None = None
    error: str | None = None
