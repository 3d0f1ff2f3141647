"""What stands in pressure.json: a reward under pressure, its curve beside gold's, the verdict, what the picks share."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody, IntervalBody
from assay.artifacts.run_evidence import AUDIT

_PART = ConfigDict(frozen=True, extra="forbid")
PRESSURE = "pressure.json"  # the file, in the folder of `assay optimise`
PressureWord = Literal["turns", "does_not_turn", "undecided"]


class JudgedBody(BaseModel):
    """The reward, or gold. kind: scorer, labels or truth. fingerprints: by seed, or of the file that holds it."""

    model_config = _PART

    name: str
    kind: Literal["scorer", "labels", "truth"]
    fingerprints: dict[str, str]


class PointBody(BaseModel):
    """One n. proxy, gold: of the pick by the reward, in their own units; best: gold of the pick by gold.

    gain: gold above a random answer's, in spreads, proxy_gain: the reward's, in its own. p: that gold is as high here
    as at every other n, by Holm; may_be: whether it may be the highest.
    """

    model_config = _PART

    n: int
    kl: float
    proxy: float
    proxy_interval: IntervalBody | None
    gold: float
    gold_interval: IntervalBody | None
    best: float
    gain: float
    gain_interval: IntervalBody | None
    proxy_gain: float
    p: float | None
    may_be: bool | None


class FitBody(BaseModel):
    """d (alpha - beta d) in d, the root of the KL bound, of gains in spreads. explained: of the points' spread."""

    model_config = _PART

    alpha: float
    beta: float
    explained: float | None


class DriftRow(BaseModel):
    """What the picks at the largest n have of one attribute: its mean over random answers, picks, and picks by gold.

    drift, beyond_gold: picks less random answers, and less picks by gold, in spreads within prompts. p_holm: of
    beyond_gold, over all attributes.
    """

    model_config = _PART

    attribute: str
    random: float
    picked: float
    picked_by_gold: float
    drift: float
    beyond_gold: float
    interval: IntervalBody | None
    p_holm: float


class PhraseRow(BaseModel):
    """A phrase that stands oftener in picks than in random answers: shares of answers that have it.

    p_bh: of that, over all phrases looked at; p_beyond_length: the same, less what the length of the picks explains.
    """

    model_config = _PART

    phrase: str
    opens: bool
    random: float
    picked: float
    picked_by_gold: float
    prompts: int
    p_bh: float
    p_beyond_length: float


class BesidePoint(BaseModel):
    """One n of both runs. difference: gold of this run less that of the other, over the same prompts."""

    model_config = _PART

    n: int
    gold: float
    difference: float | None
    interval: IntervalBody | None


class BesideBody(BaseModel):
    """Another run whose gold curve stands beside this one's. prompts: that both have with the same candidates, 0 where
    the candidates are others, whose curves are then drawn and not compared."""

    model_config = _PART

    folder: str
    name: str
    verdict: PressureWord
    prompts: int
    points: list[BesidePoint]


class PressureBody(Body):
    """One reward under pressure. shared: what gold and reward are both made of, where they are; nothing is judged then.

    answers: all of the file, left_out: of them in no figure; set_aside: prompts that are not in the curve, by why.
    curve: of the same prompts at each n. fits: of "gold" and "proxy"; empty where the points are too few.
    """

    SCHEMA: ClassVar[str] = "pressure/1"

    verdict: PressureWord
    sentence: str
    reason: str
    proxy: JudgedBody
    gold: JudgedBody
    shared: list[str]
    prompts: int
    answers: int
    left_out: int
    set_aside: dict[str, int]
    curve: list[PointBody]
    fits: dict[str, FitBody]
    drifts: list[DriftRow]
    phrases: list[PhraseRow]
    phrases_tested: int
    beside: list[BesideBody]
    findings: list[FindingBody]
    inputs: dict[str, str]
    config: dict[str, JsonValue]
    assay_version: str
    versions: dict[str, str]
    command: str


def holds_pressure(folder: Path) -> bool:
    """Whether what a folder holds is a reward under pressure, and no run that has such figures beside its audit."""
    return (folder / PRESSURE).is_file() and not (folder / AUDIT).is_file()
