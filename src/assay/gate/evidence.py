"""What a gate decides on: findings, the split's proof, the self-checks. Knows a run's artifacts; knows no criterion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from assay.artifacts.rests_on_body import RestsOn
from assay.artifacts.run_evidence import AUDIT, CONTRACT, SPLIT, TRAIN, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.split_body import SplitBody
from assay.artifacts.train_body import SelfCheckBody
from assay.audits import Audit
from assay.audits.lost_rows import rests_on
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.gate.looks import Look


class Figures(Protocol):
    """Figures by name and slice: an audit of a reward model, or the analysis of a study."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def seeds(self) -> tuple[int, ...]: ...
    def find(self, name: str, where: Slice = OVERALL) -> Finding | None: ...


@dataclass(frozen=True, slots=True)
class ListedFigures:
    """Findings as they stand in an artifact, by name and slice."""

    findings: tuple[Finding, ...]
    seeds: tuple[int, ...] = ()

    def find(self, name: str, where: Slice = OVERALL) -> Finding | None:
        return next((one for one in self.findings if one.name == name and one.slice == where), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is decided on.

    figures: an audit, or a study's analysis. source: what they come from, as reasons say it. counted: what n counts.
    split: the split's proof, None where there is none. self_checks: of each seed with a train.json, by name.
    rests_on: what became of the rows of the data, None where there is no contract.json. look: the how-manieth look at
    such evidence this is, None where nobody counts: then it is decided as the only one.
    """

    figures: Figures
    split: SplitBody | None = None
    self_checks: Mapping[int, Mapping[str, SelfCheckBody]] = field(default_factory=dict)
    rests_on: RestsOn | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    source: str = "audit"
    counted: str = "pair"
    look: Look | None = None


def read_evidence(folder: RunFolder) -> Evidence:
    """Read a run folder. Raises ArtifactError without an audit, or where the audit was made from other files."""
    there = RunEvidence.read(folder, names=(AUDIT, CONTRACT, SPLIT, TRAIN), needed=(AUDIT,))
    assert there.audit is not None
    figures = Audit.from_body(there.audit)
    return Evidence(
        figures=figures,
        split=there.split,
        self_checks={seed: one.train.self_checks for seed, one in there.seeds.items() if one.train is not None},
        rests_on=rests_on(there.contract, figures.findings, there.split) if there.contract is not None else None,
        inputs=there.hashes,
    )
