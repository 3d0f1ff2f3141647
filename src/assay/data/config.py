"""The options by which rows become pairs, and pairs two sides; and those that `check` and `split` read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from assay.config import StageConfig


class DataConfig(StageConfig):
    """How rows become pairs."""

    layout: str = Field("auto", description="a layout by name, or auto to recognise it from the first rows")
    columns: dict[str, str] = Field(default_factory=dict, description="our field = your column")
    labels: dict[str, str] = Field(
        default_factory=dict, description="your label = left, right, tie or abstain; numbers need it"
    )
    ignore: tuple[str, ...] = Field(
        (), description="columns, and fields of messages, left out knowingly although they change what an answer means"
    )
    objective: str | None = Field(
        None, description="of data with several objectives (better, safer; or categories): the one to read; else all"
    )
    split: str | None = Field(None, description="split of a datasets folder or hub id (train when unset)")
    min_agreement: float = Field(
        0.6, ge=0.5, le=1.0, description="majority share of votes below which a pair is for review"
    )
    ties: Literal["review", "keep"] = Field("review", description="keep: ties become pairs labelled tie")
    derive: Literal["all", "best"] = Field(
        "all", description="pairs of a row of candidates: all its comparisons, or its best answers against the rest"
    )
    weight: Literal["group", "pair"] = Field(
        "group", description="pairs derived from one row of candidates weigh one together (group), or one each (pair)"
    )
    near_duplicates: float | None = Field(0.8, gt=0, le=1, description="Jaccard of prompts; null: do not look")
    seed: int = 0


class SplitConfig(StageConfig):
    """The grouped, stratified, exact-size split."""

    holdout: PositiveInt = Field(1000, description="pairs held out, exactly")
    rounding: Literal["exact", "nearest"] = Field(
        "exact", description="nearest: where whole groups cannot make holdout, the closest size they can"
    )
    seed: int = 0


class CheckConfig(StageConfig):
    """What `assay check` reads."""

    data: DataConfig = DataConfig()


class SplitRunConfig(StageConfig):
    """What `assay split` reads."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
