"""What may be set of a capability test. Knows options; computes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from assay.config import StageConfig

By = Literal["letter", "text"]


class CapabilityConfig(StageConfig):
    """by: choices asked for by letter, or by their text (cloze: raw, and per character). shots_from: where solved
    questions are, if not in dev/. margin: the drop that is let pass, a share. level: of the two-sided intervals; the
    bounds of the drop hold one-sided at (1 + level) / 2.
    """

    by: tuple[By, ...] = ("letter", "text")
    shots: int = Field(5, ge=0)
    shots_from: Path | None = None
    subjects: tuple[str, ...] = ()
    limit: int | None = Field(None, ge=1)
    chat: bool = False
    margin: float = Field(0.02, gt=0, lt=1)
    level: float = Field(0.9, ge=0.5, lt=1)
    micro_tokens: int | None = Field(None, ge=1)

    @field_validator("by")
    @classmethod
    def _ways(cls, by: tuple[By, ...]) -> tuple[By, ...]:
        if not by:
            raise ValueError("name letter, text, or both")
        return tuple(dict.fromkeys(by))
