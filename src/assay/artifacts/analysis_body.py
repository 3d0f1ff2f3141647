"""analysis.json, analysis/1: what a study's analysis found, as a typed value, and what some findings hold beside.

The order of the fields is that of the file. Knows names and types; knows not how a figure is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_serializer, field_validator

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody
from assay.errors import ArtifactError

ANALYSIS = "analysis.json"


class Part(BaseModel):
    """A part of the body: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VoteCounts(Part):
    """Votes of people behind the win rate. real: showings judged; ballots: those with an opinion about our system.

    people: None where the votes do not say whose they are. both_bad: None where the file has one word for it and a tie.
    """

    real: int
    ballots: int
    prompts: int
    people: int | None
    won: int
    lost: int
    tied: int
    both_bad: int | None


class EditorRow(Part):
    """What one judge did. planned: showings of the sealed plan; None where the plan is not at hand."""

    editor: str
    judge: str
    planned: int | None
    judged: int
    abstained: int
    undone: int
    comments: int
    failed_attention: bool


class EditorPairRow(Part):
    """Agreement of two editors on the n items both judged. reason: why kappa is unknown."""

    editors: tuple[str, str]
    n: int
    raw: float
    kappa: float | None
    ac1: float | None
    reason: str | None


class PromptRow(Part):
    """How people's votes on one prompt fell."""

    prompt_id: str
    won: int
    tied: int
    lost: int
    abstained: int


class ObservedPower(Part):
    """What a study like this one, as it turned out, can see.

    icc: used; icc_measured: None where every prompt has one vote. power_at: true win rate -> chance to tell it from one
    half. detectable: the smallest seen with 80%; None: none is. prompts_for: true win rate -> prompts it would take.
    """

    prompts: int
    editors: float
    icc: float
    ties: float
    level: float
    half_width: float
    power_at: dict[str, float]
    detectable: float | None
    icc_measured: float | None
    prompts_for: dict[str, int]


class AnalysisTables(Part):
    """The tables of an analysis. power: None where it is not known, which the file holds as an empty object."""

    counts: VoteCounts
    editors: tuple[EditorRow, ...]
    editor_pairs: tuple[EditorPairRow, ...]
    prompts: tuple[PromptRow, ...]
    power: ObservedPower | None

    @field_validator("power", mode="before")
    @classmethod
    def _empty_is_unknown(cls, value: object) -> object:
        return None if value == {} else value

    @field_serializer("power")
    def _unknown_is_empty(self, value: ObservedPower | None) -> dict[str, JsonValue]:
        return {} if value is None else value.model_dump(mode="json")


class AsideRow(Part):
    """A prompt that was shown to nobody, and why."""

    reason: str
    prompt_id: str


class StudyFacts(Part):
    """What was analysed. judges: how many of each kind; votes_from: votes by where they were given.

    outside: how votes that were cast elsewhere were read and what their file does not say; None for a study of ours.
    """

    id: str
    title: str
    created_at: str
    closed_at: str | None
    seal: str
    systems: tuple[str, ...]
    judges: dict[str, int]
    question: str | None
    votes_from: dict[str, int]
    set_aside: tuple[AsideRow, ...]
    giveaways: tuple[dict[str, JsonValue], ...]
    planned_power: dict[str, JsonValue]
    outside: tuple[str, ...] | None = None


class AnalysisBody(Body):
    """analysis.json. ours: the system its rates are about."""

    SCHEMA: ClassVar[str] = "analysis/1"

    inputs: dict[str, str]
    config: dict[str, JsonValue]
    study: StudyFacts
    ours: str
    findings: tuple[FindingBody, ...]
    tables: AnalysisTables
    assay_version: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    command: str = ""


class Detail(BaseModel):
    """What stands beside a finding's value under `detail`; other keys there are other readers' business."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, detail: Mapping[str, object]) -> Self:
        """Raises ArtifactError where a finding does not hold what its name promises."""
        try:
            return cls.model_validate(dict(detail))
        except ValidationError as error:
            first = error.errors()[0]
            raise ArtifactError(
                f"analysis.json: the detail of a finding lacks {'.'.join(map(str, first['loc']))} ({first['msg']}). "
                "Analyse the study again."
            ) from None


class LengthDetail(Detail):
    """Of length_controlled_win_rate. slope: log odds per unit of tanh(difference / sd); ours_longer: share of votes."""

    slope: float
    slope_error: float | None
    sd: float
    unit: str
    mean_difference: float
    ours_longer: float


class MajorityDetail(Detail):
    """Of majority_share: prompts by where they lean. needed: of all, to be told from a coin; None: no split could."""

    won: int
    lost: int
    tied: int
    needed: int | None
    p_value: float


class SidesDetail(Detail):
    """Of side_difference: our win rate on each side, and the votes behind it."""

    left: float
    left_n: int
    right: float
    right_n: int


class AttentionDetail(Detail):
    """Of attention_passed: items judged right."""

    passed: int


class TimeDetail(Detail):
    """Of seconds_per_item: quartiles in seconds, and votes whose time nothing measured."""

    lower_quartile: float
    upper_quartile: float
    unmeasured: int


class AgreementDetail(Detail):
    """Of alpha. ordinal: alpha on the scale from one system over a tie to the other; None where it is not known."""

    labels: int
    judges: int | None
    ordinal: float | None


class CoverageDetail(Detail):
    """Of coverage: judgements made, and planned."""

    done: int
    planned: int
