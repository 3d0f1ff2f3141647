"""contract.json as a typed value: what was read, kept and rejected, and what the data look like."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.artifacts.body import Body


class ContractPart(BaseModel):
    """Base of what stands inside contract.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CandidateCounts(ContractPart):
    """Rows of candidates, their answers, and the comparisons derived from them; each comparison counts as a row."""

    rows: int
    answers: int
    comparisons: int


class CategoryCounts(ContractPart):
    """Rows of one category. reasons: of the rejected; absent where none is, and from earlier contracts."""

    kept: int
    rejected: int
    reasons: dict[str, int] = Field(default_factory=dict, exclude_if=lambda value: not value)


class TokenLimit(ContractPart):
    """The longest rendered row a run takes, the limit at which 95% of its pairs would have fitted, and the longest row
    the base has positions for (None: it states no end).
    """

    asked: int
    keeps_95_percent: int
    most: int | None


class AgreementReport(ContractPart):
    """What the votes say, over every row that has some; None inside where a share has nothing to be of."""

    rows_with_votes: int
    votes: int
    annotators: int | None
    rows_with_several_votes: int
    mean_majority_share: float | None
    unanimous_share: float | None
    tie_votes: int
    abstentions: int
    votes_with_position: int
    picked_left_share: float | None


class LargestGroup(ContractPart):
    """The prompt group with most pairs."""

    name: str
    pairs: int
    share: float


class OverlapReport(ContractPart):
    """What pairs have in common; groups are counted over the pairs kept, None where near-duplicates are not sought."""

    duplicates: int
    conflicting: int
    distinct_prompts: int
    groups: int
    near_duplicate_prompts: int | None
    template_prompts: int | None
    crowded_buckets: int | None
    largest_group: LargestGroup | None


class LengthFigures(ContractPart):
    """Lengths of one side."""

    min: int
    q05: int
    median: int
    q95: int
    max: int
    mean: float


class LengthReport(ContractPart):
    """Lengths in characters, and how often the longer answer was chosen."""

    unit: str
    prompt: LengthFigures
    chosen: LengthFigures
    rejected: LengthFigures
    longer_is_chosen_share: float | None
    same_length: int


class LayoutReport(ContractPart):
    """The layout the rows were read by, and role -> column."""

    name: str
    about: str
    columns: dict[str, str]


class ColumnCounts(ContractPart):
    """What became of one source column. role: what it is read as, "unused" or "ignored". rows: that hold something."""

    role: str
    rows: int


class ContractBody(Body):
    """The whole of contract.json: kept and rejected add up to rows. candidates: only where rows held candidates.

    token_limit: only where a length gate has dropped pairs. made: only where pairs were made beside those counted here,
    by kind; they are trained on and never held out.
    """

    SCHEMA: ClassVar[str] = "contract/1"

    rows: int
    kept: int
    rejected: int
    candidates: CandidateCounts | None = Field(None, exclude_if=lambda value: value is None)
    rejects: dict[str, int]
    for_review: int
    ties_kept: int
    repeated_ids: int
    categories: dict[str, int]
    by_category: dict[str, CategoryCounts]
    agreement: AgreementReport | None
    overlap: OverlapReport
    lengths: LengthReport | None
    layout: LayoutReport | None
    columns: dict[str, ColumnCounts] = Field(default_factory=dict)
    source: str
    inputs: dict[str, str]
    config: dict[str, JsonValue]
    token_limit: TokenLimit | None = Field(None, exclude_if=lambda value: value is None)
    made: dict[str, int] | None = Field(None, exclude_if=lambda value: value is None)
    warnings: list[str]
    seconds: dict[str, float]
