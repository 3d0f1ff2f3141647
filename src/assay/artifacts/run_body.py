"""run.json, in a run folder from its first minute on: what runs on what, with which options, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.compile_body import CompileBody
from assay.artifacts.files import write_json
from assay.artifacts.precision_body import PrecisionBody
from assay.artifacts.tracking_body import TrackedBody
from assay.artifacts.training_pairs_body import TrainingPairsBody

_PART = ConfigDict(frozen=True, extra="forbid")


class MachineBody(BaseModel):
    """The machine a run is made on. cpus: those the process may use. memory_gib: None where the system does not say."""

    model_config = _PART

    cpus: int | None
    memory_gib: float | None
    python: str
    platform: str


class RunBase(BaseModel):
    """The base model, as its user named it, with the fingerprint of its files and its kind (encoder, decoder)."""

    model_config = _PART

    name: str
    fingerprint: str
    kind: str


class LengthGateBody(BaseModel):
    """Pairs that fit as rendered, and pairs dropped, by which side was too long, by category and by reason."""

    model_config = _PART

    kept: int
    dropped: int
    max_tokens: int
    by_side: dict[str, int]
    by_category: dict[str, int]
    by_reason: dict[str, int]


class OracleBody(BaseModel):
    """Accuracy of the truth itself against the labels of simulated pairs: the best any model can be right."""

    model_config = _PART

    overall: float | None
    n: int
    by_category: dict[str, float]


class RunData(BaseModel):
    """Where the pairs come from. sha256: of the file read, or of the hashes of several. oracle: of simulated pairs."""

    model_config = _PART

    path: str
    sha256: str
    rows: int
    simulated: bool
    oracle: OracleBody | None


class StageBody(BaseModel):
    """One stage that is over: its seconds, and the tokens it ran where they were counted."""

    model_config = _PART

    name: str
    seconds: float
    tokens: int | None


class RunBody(Body):
    """One run, as far as it has come: what a later stage adds is absent before.

    key: hash of what the weights and the split depend on. config: with the precision that is used, never `auto`,
    and of train.compile what is used, from the first training step on. precision, compile: how they were chosen; absent
    from runs made before they were chosen by a measurement, and compile before the first step. chosen: options that
    trials on a validation slice set in place of those in config; absent where nothing was tried. training_pairs: what
    became of the training side of the split; absent where all of it, and nothing else, was trained on. tracked: where
    the seeds and the verdict are shown outside; absent where nowhere.
    """

    SCHEMA: ClassVar[str] = "run/1"

    name: str
    status: Literal["running", "done"]
    key: str
    command: str
    created: str
    assay_version: str
    config: dict[str, JsonValue]
    precision: PrecisionBody | None = None
    compile: CompileBody | None = None
    inputs: dict[str, str]
    machine: MachineBody
    versions: dict[str, str]
    base: RunBase | None = None
    seeds: tuple[int, ...] = ()
    length_gate: LengthGateBody | None = None
    data: RunData | None = None
    training_pairs: TrainingPairsBody | None = None
    chosen: dict[str, JsonValue] | None = None
    tracked: tuple[TrackedBody, ...] = ()
    stages: tuple[StageBody, ...] = ()

    def write(self, path: Path) -> str:
        """Write the artifact atomically, what is absent left out; returns its `sha256:...`."""
        return write_json(path, self.SCHEMA, self.model_dump(mode="json", exclude_unset=True))

    def with_more(self, **more: object) -> RunBody:
        """The body with what a stage adds to it or changes in it."""
        return RunBody.model_validate({**self.model_dump(exclude_unset=True), **more})
