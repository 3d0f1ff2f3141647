"""What stands in gate.json: the verdict, and for each criterion what was compared with what, as fields and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.artifacts.body import Body
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.looks_body import LooksBody
from assay.artifacts.rests_on_body import RestsOn

Word = Literal["pass", "fail", "undecided"]


def worst(words: Sequence[Word]) -> Word:
    """What several words come to: fail if one is, else undecided if one is, else pass."""
    return "fail" if "fail" in words else "undecided" if "undecided" in words else "pass"


class DecidedBody(BaseModel):
    """What a comparison came to, of one criterion or of one part of it.

    seed: whose figure it is, where one seed was compared; absent over all seeds. slice: "overall" or "category=NAME";
    null where no single slice was compared. reasons: clauses; reason: all in one.
    value_noun: what `value` counts ("problem", "check"), null for figures. n: of `counted` ("pair", "vote").
    more_pairs: how many more of them would decide it, more_prompts: the same in prompts; null where that is not known.
    toward: what they would decide if the figure stays; null where nothing is open, and in files of earlier versions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice: str | None
    verdict: Word
    reason: str
    reasons: tuple[str, ...]
    value: float | None
    value_noun: str | None
    interval: IntervalBody | None
    n: int | None
    counted: str
    more_pairs: int | None
    more_prompts: int | None
    toward: Literal["pass", "fail"] | None = None
    seed: int | None = Field(None, exclude_if=lambda value: value is None)


class CriterionBody(DecidedBody):
    """One criterion: its text as people wrote it, and what it says.

    finding, comparison, unit and threshold are null for a criterion that compares no figure. part: the slices that an
    "every ..." runs over; parts: what each of them came to.
    """

    text: str
    kind: str
    by: Literal["point", "bound"]
    finding: str | None
    part: str | None
    comparison: Literal[">", ">=", "<", "<="] | None
    unit: str | None
    threshold: float | None
    parts: tuple[DecidedBody, ...]


class GateBody(Body):
    """inputs: hashes of what was decided on, and of the criteria. rests_on: absent where no contract.json told it.

    looks: which look at the evidence this was; absent where none was counted, and in files of earlier versions.
    """

    SCHEMA: ClassVar[str] = "gate/2"

    verdict: Word
    criteria: tuple[CriterionBody, ...]
    inputs: dict[str, str]
    rests_on: RestsOn | None = Field(None, exclude_if=lambda value: value is None)
    looks: LooksBody | None = Field(None, exclude_if=lambda value: value is None)

    @model_validator(mode="after")
    def _follows(self) -> Self:
        found = worst([one.verdict for one in self.criteria])
        if self.verdict != found or not self.criteria:  # none would pass anything
            raise ValueError(f"the verdict is {self.verdict}, and its {len(self.criteria)} criteria come to {found}")
        return self
