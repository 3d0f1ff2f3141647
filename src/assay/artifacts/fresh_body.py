"""A reward on fresh pairs of a policy: fresh_pairs.json, what people are asked, and fresh.json, what they said."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody, IntervalBody

FRESH_PAIRS, FRESH = "fresh_pairs.json", "fresh.json"  # the files, in the folder of `assay fresh`
Voters = Literal["human", "simulated", "llm"]
_PART = ConfigDict(frozen=True, extra="forbid")


class FreshScorerBody(BaseModel):
    """The reward, or a judge: as it was named, and its fingerprints by seed."""

    model_config = _PART

    name: str
    fingerprints: dict[str, str]


class FreshPolicyBody(BaseModel):
    """What answered: the policy, its template, how it was sampled, and how many answers have a text."""

    model_config = _PART

    name: str
    fingerprint: str
    template: str
    sampling: dict[str, JsonValue]
    answers_each: int
    answers: int
    unanswered: int


class StaticBody(BaseModel):
    """Held-out accuracy of the same reward. value None: unknown, for `reason`. source: the audit it stands in."""

    model_config = _PART

    value: float | None
    interval: IntervalBody | None
    n: int
    source: str
    reason: str = ""


class LeakBody(BaseModel):
    """Prompts set aside since they stood in the reward's data, as they are or nearly. looked: in which; None: nobody
    could look, for `reason`."""

    model_config = _PART

    looked: str | None
    same: int
    near: int
    reason: str = ""


class WidthRow(BaseModel):
    """What so many votes buy: points that the interval of fresh accuracy, and of the drop, reaches to either side."""

    model_config = _PART

    votes: int
    accuracy: float
    drop: float | None


class FreshStudyPlace(BaseModel):
    """The blind study, ready to serve, inside the folder. editors: who judges, by name, and what kind of judge."""

    model_config = _PART

    id: str
    study: str
    links: str
    editors: dict[str, str]
    showings: int
    notes: list[str]


class FreshPairsBody(Body):
    """Pairs of a policy's fresh answers, and which of them people are asked about.

    aside: what is no pair, by why. votes: pairs of the random sample; unsure: pairs asked about apart from it. pairs:
    hash of the file that holds them. study: None where only files were written.
    """

    SCHEMA: ClassVar[str] = "fresh_pairs/1"

    reward: FreshScorerBody
    policy: FreshPolicyBody
    static: StaticBody
    prompts: int
    aside: dict[str, int]
    leaks: LeakBody
    formed: int
    votes: int
    unsure: int
    widths: list[WidthRow]
    assumed: float
    pairs: str
    study: FreshStudyPlace | None
    config: dict[str, JsonValue]
    inputs: dict[str, str]
    command: str


class JudgeBody(BaseModel):
    """A judge beside people. shared: what it and the reward are both made of; left_out: why it was, where it was.

    labelled: pairs it gave a label; undecided: of them those it called equal; missing: pairs it gave none, by why.
    """

    model_config = _PART

    name: str
    fingerprint: str
    shared: list[str]
    left_out: str
    labelled: int
    undecided: int
    missing: dict[str, int]


class VotesBody(BaseModel):
    """What was judged. counted: kind of the judges that count; others: votes of other kinds, in no figure.

    asked, labelled, decided: pairs of the random sample that were drawn, have a vote, and have a majority. failed:
    people who failed their attention items; failed_votes: theirs on pairs, left out unless the options keep them.
    """

    model_config = _PART

    source: str
    counted: Voters
    others: dict[str, int]
    votes: int
    judges: int
    asked: int
    labelled: int
    decided: int
    unsure_labelled: int
    unsure_decided: int
    failed: int = 0
    failed_votes: int = 0


class DriftPoint(BaseModel):
    """KL of the policy from its reference at a step of its training, in nats an answer."""

    model_config = _PART

    step: int
    kl: float


class DriftBody(BaseModel):
    """How far the policy went in training. It says nothing about the reward, whatever it is."""

    model_config = _PART

    source: str
    lines: dict[str, list[DriftPoint]]


class KpiFallBody(BaseModel):
    """An outside figure that got worse between two versions while the reward rose."""

    model_config = _PART

    kpi: str
    before: str
    after: str
    reward: tuple[float, float]
    figures: tuple[float, float]
    preference: tuple[float, float] | None


class KpiBody(BaseModel):
    """Outside figures by version of the policy. figures: by column, None where a version has none.

    lower_is_better: columns of which less is better. correlations: Spearman's, of reward and figure turned so that
    more is better; None where versions are too few.
    """

    model_config = _PART

    source: str
    versions: list[str]
    reward: list[float | None]
    preference: list[float | None] | None
    figures: dict[str, list[float | None]]
    lower_is_better: list[str]
    falls: list[KpiFallBody]
    correlations: dict[str, float | None]


class FreshBody(Body):
    """A reward on fresh pairs: accuracy beside the held-out one, by people and by people helped by a judge."""

    SCHEMA: ClassVar[str] = "fresh/1"

    sentence: str
    outcome: Literal["holds", "drops", "undecided"]
    reward: FreshScorerBody
    policy: FreshPolicyBody
    static: StaticBody
    leaks: LeakBody
    aside: dict[str, int]
    formed: int
    votes: VotesBody
    judge: JudgeBody | None
    drift: DriftBody | None
    kpis: KpiBody | None
    findings: list[FindingBody]
    notes: list[str]
    inputs: dict[str, str]
    config: dict[str, JsonValue]
    assay_version: str
    versions: dict[str, str]
    command: str
