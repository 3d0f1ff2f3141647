"""The options of a base model and how it is tuned."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    Field,
    PositiveInt,
    field_validator,
)

from assay.config import StageConfig

Tuning = Literal["full", "lora", "qlora"]


class ModelConfig(StageConfig):
    """The base model and how it is tuned."""

    base: str = Field("minilm", description="catalogue name, Hugging Face id or folder")
    revision: str | None = None
    max_tokens: PositiveInt = Field(512, description="longest rendered row; longer pairs are dropped, never cut")
    tuning: Tuning = "full"
    lora_rank: PositiveInt = 16
    lora_alpha: PositiveInt = 32
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    heads: tuple[str, ...] = Field(
        (), description="objectives, each with a head of its own over one trunk; none: one head for all pairs"
    )
    dropout: float | None = Field(0.0, ge=0, lt=1, description="dropout of the trunk; null keeps the base's own")

    @field_validator("heads")
    @classmethod
    def _several_and_different(cls, heads: tuple[str, ...]) -> tuple[str, ...]:
        if len(heads) == 1 or len(set(heads)) < len(heads) or not all(heads):
            raise ValueError("heads are two objectives or more, each named once; leave them out for one")
        return heads
