"""train.json, in the folder of a finished seed: what was trained on what, how long it took, and what was checked."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue, StrictBool

from assay.artifacts.body import Body
from assay.artifacts.compile_body import CompileBody
from assay.artifacts.files import write_json
from assay.artifacts.precision_body import PrecisionBody
from assay.artifacts.stopping_body import StoppingBody

_PART = ConfigDict(frozen=True, extra="forbid")


class TrainedBase(BaseModel):
    """The base a seed started from, as its user named it, and the fingerprint of its files."""

    model_config = _PART

    name: str
    fingerprint: str


class SelfCheckBody(BaseModel):
    """One self-check of a saved model: the worst difference found, what is allowed, and what a failure would mean.

    informative: it may fail, and then says so only. rows: how many it was made on. worst: None for not a number.
    """

    model_config = _PART

    name: str
    passed: StrictBool  # neither "yes" nor 1 is a check that passed
    worst: float | None
    tolerance: float
    meaning: str
    informative: bool
    rows: int


class TrainBody(Body):
    """One finished seed.

    identity: everything its weights depend on; inputs: of that, the hashes of the data. config: the options of the run
    itself. pairs: examples trained on. seconds: of all stages, with the training of earlier starts. held_out: figures
    by name; `n` is how many held-out examples they are of. files: `sha256:...` by path inside the seed's folder.
    stopping: absent where all steps were to be made; else the losses by which the weights of `best_step` are the model.
    precision and compile are absent from seeds that were trained before they were chosen by a measurement.
    """

    SCHEMA: ClassVar[str] = "train/1"

    seed: int
    identity: dict[str, JsonValue]
    inputs: dict[str, str]
    base: TrainedBase
    config: dict[str, JsonValue]
    precision: PrecisionBody | None = None
    compile: CompileBody | None = None
    report_to: tuple[str, ...]
    pairs: int
    steps: int
    tokens: int
    seconds: float
    stages: dict[str, float]
    pairs_per_second: float
    tokens_per_second: float
    held_out: dict[str, int | float | None]
    stopping: StoppingBody | None = None
    self_checks: dict[str, SelfCheckBody]
    files: dict[str, str]
    threads: int
    processes: int
    versions: dict[str, str]

    def write(self, path: Path) -> str:
        """Write the artifact atomically, what is absent left out; returns its `sha256:...`."""
        return write_json(path, self.SCHEMA, self.model_dump(mode="json", exclude_unset=True))
