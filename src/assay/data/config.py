"""The options by which rows become pairs, and pairs two sides; and those that `check` and `split` read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt, ValidationInfo, field_validator

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
    min_agreement: float | None = Field(
        None, ge=0.5, le=1, description="majority share of votes below which a pair is not held out; null: any may be"
    )
    seed: int = 0


VERBOSITY_KINDS = ("padded", "repeated", "foreign")
# The better answer first.
CONFIDENTLY_WRONG_KINDS = ("abstention_wrong", "chosen_wrong", "chosen_abstention")
RRM_KINDS = ("chosen_chosen", "chosen_rejected", "rejected_chosen", "rejected_rejected", "foreign_foreign")


class AugmentConfig(StageConfig):
    """Pairs made from the training pairs, and trained on beside them; none is ever held out."""

    verbosity: float = Field(
        0.0, ge=0, le=3, description="pairs whose longer and worse answer is rejected, as a share of the training pairs"
    )
    verbosity_kinds: tuple[str, ...] = Field(VERBOSITY_KINDS, description=f"of {', '.join(VERBOSITY_KINDS)}")
    verbosity_growth: float = Field(1.5, gt=1, description="how many times as long that answer is, at least")
    rrm: float = Field(
        0.0, ge=0, le=5, description="RRM's pairs with answers to other prompts, as a share of the training pairs"
    )
    rrm_kinds: tuple[str, ...] = Field(
        RRM_KINDS, description="own_foreign sides; foreign_foreign: ties, under loss.kind=rao_kupper or data.ties=keep"
    )
    confidently_wrong: float = Field(
        0.0, ge=0, le=3, description="pairs with wrong figures and with abstentions, as a share of the training pairs"
    )
    confidently_wrong_kinds: tuple[str, ...] = Field(
        CONFIDENTLY_WRONG_KINDS, description="better_worse: of chosen, wrong (the chosen answer's twin), abstention"
    )
    seed: int = 0

    @property
    def asked(self) -> bool:
        """Whether any pair is to be made."""
        return self.verbosity > 0 or self.rrm > 0 or self.confidently_wrong > 0

    @field_validator("verbosity_kinds", "rrm_kinds", "confidently_wrong_kinds")
    @classmethod
    def known(cls, kinds: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        there = {"verbosity_kinds": VERBOSITY_KINDS, "rrm_kinds": RRM_KINDS}.get(
            str(info.field_name), CONFIDENTLY_WRONG_KINDS
        )
        if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= set(there):
            raise ValueError(f"name each kind once, of {', '.join(there)}")
        return kinds


class SelectConfig(StageConfig):
    """Which of the training pairs are trained on and what they weigh; the held-out pairs stay as they are."""

    without: str | None = Field(None, description="suspected_labels.jsonl or any rows with ids: not trained on")
    min_agreement: float | None = Field(
        None,
        ge=0.5,
        le=1,
        description="share of votes for the label below which a pair is not trained on; 1: unanimous only",
    )
    weight: Literal["stated", "votes"] = Field(
        "stated", description="votes: times 2 x share of votes for chosen - 1, so that a narrow majority counts little"
    )


class CheckConfig(StageConfig):
    """What `assay check` reads."""

    data: DataConfig = DataConfig()


class SplitRunConfig(StageConfig):
    """What `assay split` reads."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
