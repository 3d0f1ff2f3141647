"""What a gate decides on: findings, the split's proof, the self-checks. Knows a run's artifacts; knows no criterion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from assay.artifacts.files import read_json, sha256_file
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice

SPLIT, TRAIN = "split.json", "train.json"


class Figures(Protocol):
    """Figures by name and slice: an audit of a reward model, or the analysis of a study."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def seeds(self) -> tuple[int, ...]: ...
    def find(self, name: str, where: Slice = OVERALL) -> Finding | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is decided on.

    figures: an audit, or a study's analysis. source: what they come from, as reasons say it. counted: what n counts.
    split: body of split.json, None where there is none. training: body of train.json by seed, where there is one.
    """

    figures: Figures
    split: Mapping[str, object] | None = None
    training: Mapping[int, Mapping[str, object]] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    source: str = "audit"
    counted: str = "pair"


def read_evidence(run: RunFolder) -> Evidence:
    """Read a run folder. Raises ArtifactError without an audit, or where the audit was made from other files."""
    audit = Audit.read(run)
    inputs = {"audit.json": sha256_file(run.path("audit.json"))}
    split = None
    if run.path(SPLIT).exists():
        split = read_json(run.path(SPLIT), "split/1")
        inputs[SPLIT] = sha256_file(run.path(SPLIT))
    training = {}
    for seed in audit.seeds:
        path = run.seed(seed) / TRAIN
        if path.exists():
            training[seed] = read_json(path, "train/1")
            inputs[f"{run.seed(seed).name}/{TRAIN}"] = sha256_file(path)
    run.refuse_stale(audit.inputs, made="audit.json was made from", again="Run the audit again.")
    return Evidence(figures=audit, split=split, training=training, inputs=inputs)
