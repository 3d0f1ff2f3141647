"""What stands in run.json, train.json and a model's assay.json, as a reader may find it: any key can be missing.

These are views for readers of finished, interrupted and older runs, not promises of a writer: a reader says unknown
where a key is not there. Knows the names and types of keys; knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict


class OracleJson(TypedDict, total=False):
    """Accuracy of the truth itself against the labels of simulated data: the best any model can reach."""

    overall: float | None
    n: int
    by_category: Mapping[str, float]


class DataJson(TypedDict, total=False):
    """Where the pairs of a run came from."""

    path: str
    sha256: str
    rows: int
    simulated: bool
    oracle: OracleJson | None


class BaseJson(TypedDict, total=False):
    """The base model a run started from."""

    name: str
    fingerprint: str
    kind: str


class MachineJson(TypedDict, total=False):
    """The size of the machine a run was made on."""

    cpus: int
    memory_gib: float
    python: str
    platform: str


class StageJson(TypedDict, total=False):
    """One stage of a run: how long it took, and the tokens it read where they were counted."""

    name: str
    seconds: float
    tokens: int | None


class LengthGateJson(TypedDict, total=False):
    """Pairs that fit as rendered, and pairs dropped."""

    kept: int
    dropped: int
    max_tokens: int
    by_reason: Mapping[str, int]
    by_side: Mapping[str, int]
    by_category: Mapping[str, int]


class RunJson(TypedDict, total=False):
    """run.json, run/1: what ran, on what, for how long."""

    name: str
    command: str
    created: str
    assay_version: str
    seeds: list[int]
    config: Mapping[str, object]
    data: DataJson
    base: BaseJson
    machine: MachineJson
    versions: Mapping[str, str]
    stages: list[StageJson]
    length_gate: LengthGateJson


class SelfCheckJson(TypedDict, total=False):
    """What one self-check of a saved model measured."""

    passed: bool
    worst: float | None
    difference: float | None
    meaning: str


class TrainJson(TypedDict, total=False):
    """train.json of one seed, train/1. seconds: one figure, or one a part."""

    seed: int
    seconds: float | Mapping[str, float]
    tokens: int
    self_checks: Mapping[str, SelfCheckJson | bool]


class RenderJson(TypedDict, total=False):
    """How the rows of a saved model were rendered."""

    hash: str
    notes: list[str]


class ModelJson(TypedDict, total=False):
    """model/assay.json of one seed, model/1: what a saved reward model says of itself."""

    kind: str
    render: RenderJson
