"""What stands in fit.json: how a reward fits the samples of a policy, without labels."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody, IntervalBody

_PART = ConfigDict(frozen=True, extra="forbid")
FIT = "fit.json"  # the file, in the folder of `assay optimise`


class ShiftRow(BaseModel):
    """One attribute of samples against answers of the pairs: both means, and samples less pairs in spreads.

    direction: in words, where the difference is shown with all looked at. p_holm: of no difference, over all.
    """

    model_config = _PART

    attribute: str
    samples: float
    pairs: float
    shift: float
    direction: str
    interval: IntervalBody | None
    p_holm: float


class CloudBody(BaseModel):
    """What samples were measured against, by one seed: answers and dimensions of the cloud, how far its covariance was
    shrunk (0 to 1), the threshold, held-out answers and prompt groups it was found on, and the file that holds it.

    centres: categories with a centre of their own; empty: one for all. distance: median of samples and of held-out.
    """

    model_config = _PART

    seed: int
    path: str
    answers: int
    dimensions: int
    shrunk: float
    centres: list[str]
    threshold: float
    held_out: int
    groups: int
    samples: int
    outside: float
    distance: float
    distance_held_out: float


class FitBody(Body):
    """One reward and the samples of one policy. against: where the pairs come from; notes: what was not to be had."""

    SCHEMA: ClassVar[str] = "fit/1"

    prompts: int
    answers: int
    against: dict[str, JsonValue]
    clouds: list[CloudBody]
    shifts: list[ShiftRow]
    findings: list[FindingBody]
    notes: list[str]
    inputs: dict[str, str]
    config: dict[str, JsonValue]
    assay_version: str
