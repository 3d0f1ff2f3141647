"""What a gate decides on: findings, the split's proof, the self-checks. Knows a run's artifacts; knows no criterion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.artifacts.files import read_json, sha256_file
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.errors import ArtifactError
from assay.findings.finding import Finding

SPLIT, TRAIN = "split.json", "train.json"


class Findings(Protocol):
    """Figures by name and slice: an audit of a reward model, or the analysis of a study."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def seeds(self) -> tuple[int, ...]: ...
    def find(self, name: str, where: str = "overall") -> Finding | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """source: what the figures come from, as reasons say it. counted: what their n counts.

    split: body of split.json, None where there is none. training: body of train.json by seed, where there is one."""

    audit: Findings
    split: Mapping[str, Any] | None = None
    training: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
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
    refuse_stale(run, audit)
    return Evidence(audit=audit, split=split, training=training, inputs=inputs)


def refuse_stale(run: RunFolder, audit: Audit) -> None:
    """Where the audit names a file of this run by hash, the file must still be that one."""
    for name, digest in audit.inputs.items():
        path = run.path(name)
        if path.is_file() and str(digest).startswith("sha256:") and sha256_file(path) != digest:
            raise ArtifactError(f"{path} is not the file that audit.json was made from. Run the audit again.")
