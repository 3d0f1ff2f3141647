"""What stands in audit.json: findings, and the tables a reader wants to see drawn. Primitive fields only."""

from __future__ import annotations

from typing import ClassVar, NotRequired

from pydantic import ConfigDict, JsonValue, with_config
from typing_extensions import TypedDict

from assay.artifacts.audit_groups_table import GroupTable
from assay.artifacts.audit_labels_table import LabelsTable
from assay.artifacts.audit_leak_table import LeakTable
from assay.artifacts.audit_policy_table import PolicyTable
from assay.artifacts.audit_probe_table import ProbeTable
from assay.artifacts.audit_slices_table import SliceRow
from assay.artifacts.audit_style_table import StyleTable
from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class IntervalRow(TypedDict):
    low: float
    high: float
    level: float
    method: str


@with_config(STRICT)
class RewardHistograms(TypedDict):
    """Counts of chosen and rejected rewards between `edges`, of margins between `margin_edges`; empty without pairs.

    quantiles: of "chosen", "rejected" and "margin", at the table's levels.
    """

    edges: list[float]
    chosen: list[int]
    rejected: list[int]
    margin_edges: list[float]
    margin: list[int]
    quantiles: dict[str, list[float]]


class _OfSeed(TypedDict):
    seed: int


@with_config(STRICT)
class SeedHistograms(_OfSeed, RewardHistograms):
    """Of one seed, in rewards as they are."""


@with_config(STRICT)
class DistributionTable(TypedDict):
    """pooled: over seeds, each seed's rewards centred and divided by their standard deviation first."""

    quantile_levels: list[float]
    pooled: RewardHistograms
    seeds: list[SeedHistograms]


@with_config(STRICT)
class LengthPoint(TypedDict):
    """One pair of the scatter; margin null where a reward is not finite."""

    length_difference: int
    margin: float | None
    correct: bool
    category: str | None


@with_config(STRICT)
class LengthBin(TypedDict):
    """Pairs whose length difference lies from low to high, both within."""

    low: int
    high: int
    n: int
    accuracy: float
    baseline: float
    interval: IntervalRow | None


@with_config(STRICT)
class LengthTable(TypedDict):
    """points: a sample of the pairs with the margins of one seed; bins: over all seeds."""

    unit: str
    seed: int
    points: list[LengthPoint]
    bins: list[LengthBin]


@with_config(STRICT)
class CategoryRow(TypedDict):
    category: str
    n: int
    groups: int
    accuracy: float | None
    interval: IntervalRow | None
    length_baseline: float | None
    beyond_length: float | None
    beyond_length_interval: IntervalRow | None
    ties: float


@with_config(STRICT)
class SeedRow(TypedDict):
    """categories: accuracy by category."""

    seed: int
    accuracy: float
    interval: IntervalRow | None
    categories: dict[str, float]


@with_config(STRICT)
class SeedTable(TypedDict):
    seeds: list[SeedRow]
    mean: float
    sd: float | None
    min: float
    max: float


@with_config(STRICT)
class MistakeRow(TypedDict):
    """A pair the reward ranks wrong; rewards and margin are means over seeds, lengths are in characters."""

    pair_id: str
    category: str | None
    group: str | None
    prompt: str
    chosen: str
    rejected: str
    reward_chosen: float
    reward_rejected: float
    margin: float
    seeds_wrong: int
    seeds: int
    length_chosen: int
    length_rejected: int
    votes: dict[str, int]
    where: str


@with_config(STRICT)
class ReliabilityRow(TypedDict):
    """Pairs whose stated probability lies in [low, high); stated and observed are null in an empty bin."""

    low: float
    high: float
    n: int
    stated: float | None
    observed: float | None
    interval: IntervalRow | None


@with_config(STRICT)
class CalibrationTable(TypedDict):
    bins: list[ReliabilityRow]
    seeds: list[int]
    error: float


@with_config(STRICT)
class AuditTables(TypedDict):
    """calibration: null where no pair has finite rewards. groups: where the data hold candidates."""

    distribution: DistributionTable
    length: LengthTable
    categories: list[CategoryRow]
    seeds: SeedTable
    mistakes: list[MistakeRow]
    calibration: CalibrationTable | None
    labels: NotRequired[LabelsTable]
    style: NotRequired[StyleTable]
    slices: NotRequired[list[SliceRow]]
    probes: NotRequired[ProbeTable]
    leaks: NotRequired[LeakTable]
    groups: NotRequired[GroupTable]
    policy: NotRequired[PolicyTable]


class AuditBody(Body):
    """inputs: hashes of what was audited, by name. pairs: how many were audited."""

    SCHEMA: ClassVar[str] = "audit/1"

    inputs: dict[str, str]
    config: dict[str, JsonValue]
    seeds: list[int]
    pairs: int
    findings: list[FindingBody]
    tables: AuditTables
