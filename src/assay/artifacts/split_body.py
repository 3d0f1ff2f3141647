"""split.json as a typed value: the proof that no group and no prompt is on both sides, counted from the sides."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from assay.artifacts.body import Body


class SplitPart(BaseModel):
    """Base of what stands inside split.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitGroup(SplitPart):
    """A prompt group and how many pairs it has."""

    name: str
    pairs: int


class SplitCategory(SplitPart):
    """Pairs of one category, and how many of them were to be and are held out."""

    pairs: int
    wanted: float
    held_out: int


class SplitBody(Body):
    """The whole of split.json. inputs: hashes of the files split, where the command itself read them.

    min_agreement: below which no pair was held out; pairs_not_held_out: that could not be for it, or since they were
    made and judged by nobody, with all of their groups. Both are left out where nothing was excluded.
    """

    SCHEMA: ClassVar[str] = "split/1"

    seed: int
    rounding: Literal["exact", "nearest"]
    holdout_wanted: int
    pairs_held_out: int
    pairs_train: int
    groups: int
    groups_held_out: int
    groups_train: int
    shared_groups: StrictInt  # `false` is no proof that none is shared
    prompts_held_out: int
    prompts_train: int
    shared_prompts: StrictInt
    largest_group: SplitGroup
    categories: dict[str, SplitCategory]
    held_out_sha256: str
    train_sha256: str
    min_agreement: float | None = Field(None, exclude_if=lambda value: value is None)
    pairs_not_held_out: int = Field(0, exclude_if=lambda value: value == 0)
    inputs: dict[str, str] | None = Field(None, exclude_if=lambda value: value is None)
