"""The options of a study. Knows the options; knows not what they do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from assay.config import StageConfig
from assay.data.config import DataConfig

Policy = Literal["refuse", "set_aside"]
MAX_ASPECTS = 8


class StudyConfig(StageConfig):
    """How a study is made and shown."""

    title: str = Field("Blind comparison", min_length=1, max_length=120, description="shown to editors")
    question: str = Field("Which answer is better?", min_length=1, max_length=300)
    instructions: str = Field("", max_length=20_000, description="markdown, shown before the first item")
    seed: int | None = Field(None, description="of sides and order; null draws one and stores it")
    overlap: PositiveInt | None = Field(None, description="editors per prompt; null: every editor judges every prompt")
    pairs_per_prompt: Literal["one", "all"] | None = Field(
        None, description="per editor; null: one with three or more generation files, all otherwise"
    )
    repeats: NonNegativeInt | None = Field(
        None, description="items per editor shown again, sides swapped; null: 5, or half the items if fewer"
    )
    attention: NonNegativeInt = Field(3, description="items per editor with a known answer")
    aspects: tuple[str, ...] = Field((), max_length=MAX_ASPECTS, description="such as helpful, harmless, honest")
    comments: Literal["on", "off"] = "on"
    unmatched: Policy = Field("refuse", description="a prompt that not every file answers")
    empty: Policy = Field("refuse", description="an answer without text")
    identical: Policy = Field("set_aside", description="two answers with the same text")
    giveaways: Literal["refuse", "set_aside", "accept"] = Field("refuse", description="answers that name their system")
    giveaway_words: tuple[str, ...] = Field((), description="further words that give a side away")
    longest_answer: PositiveInt = Field(60_000, description="characters; longer ones cannot be judged fairly")
    link_days: PositiveFloat = Field(30.0, description="days until personal links expire")
    assumed_icc: float = Field(0.3, ge=0, lt=1, description="for the power statement: votes within a prompt agree")
    assumed_ties: float = Field(0.2, ge=0, lt=1, description="for the power statement: share of ties")

    @field_validator("aspects")
    @classmethod
    def _aspects_are_words(cls, aspects: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(aspect.strip() for aspect in aspects)
        if any(not aspect or len(aspect) > 40 for aspect in cleaned) or len(set(cleaned)) < len(cleaned):
            raise ValueError("aspects are distinct words of 1 to 40 characters")
        return cleaned


class AnalysisConfig(StageConfig):
    """How a closed study is analysed. Settle it before the votes are in: it decides what counts."""

    system: str | None = Field(None, description="the system the study is about; null: the last one, the tuned one")
    level: float = Field(0.95, gt=0.5, lt=1, description="of every interval")
    attention_pass: float = Field(0.6, ge=0, le=1, description="share of attention items an editor must judge right")
    failed_attention: Literal["keep", "exclude"] = Field(
        "keep", description="editors below it; the win rate is told both ways in any case"
    )
    quick_words_per_minute: PositiveFloat = Field(
        1000.0, description="a vote faster than reading prompt and answers at this speed is quick"
    )
    length_unit: Literal["characters", "words"] = Field("characters", description="of the length-controlled win rate")
    editors: Literal["named", "numbered"] = Field("named", description="how the artifacts call the editors")
    resamples: PositiveInt = Field(2000, description="of bootstrap intervals")
    seed: int = Field(0, description="of bootstrap intervals")
    data: DataConfig = Field(DataConfig(), description="how votes that were cast elsewhere are read from their file")


class AxesConfig(StageConfig):
    """When an axis is undecided, for `assay study next --study`."""

    least: PositiveInt = Field(30, description="comparisons with a majority, below which an axis is undecided")
    least_in_category: PositiveInt = Field(10, description="the same within a category")
    level: float = Field(0.95, gt=0.5, lt=1, description="of the intervals of win rate and agreement")


class NextConfig(StageConfig):
    """How the pairs that models were asked about are read, and what leaves an axis open, for `assay study next`."""

    data: DataConfig = DataConfig()
    axes: AxesConfig = AxesConfig()
