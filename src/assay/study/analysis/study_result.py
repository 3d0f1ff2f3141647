"""What an analysis of a study came to: its findings, tables and facts, written to analysis.json and read back.

Knows the body of the artifact; knows not how a figure is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from assay.artifacts.analysis_body import AnalysisBody, AnalysisTables, StudyFacts
from assay.errors import ArtifactError, ConfigError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.study.config import AnalysisConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a study found. ours: the system its rates are about. study: what was analysed, by seal and hashes."""

    findings: tuple[Finding, ...]
    tables: AnalysisTables
    ours: str
    study: StudyFacts
    config: AnalysisConfig
    inputs: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    # By name and slice: a page of hundreds of editors asks for thousands of findings.
    places: Mapping[tuple[str, Slice], Finding] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        first_wins = {(found.name, found.slice): found for found in reversed(self.findings)}
        object.__setattr__(self, "places", first_wins)

    def find(self, name: str, where: Slice | str = OVERALL) -> Finding | None:
        """The finding of that name and slice; "editor=Anna" will do."""
        return self.places.get((name, Slice.read(where)))

    def to_body(
        self, *, assay_version: str = "", versions: Mapping[str, str] | None = None, command: str = ""
    ) -> AnalysisBody:
        """The body of analysis.json; the rest is what made it."""
        return AnalysisBody(
            inputs=dict(self.inputs),
            config=self.config.model_dump(mode="json"),
            study=self.study,
            ours=self.ours,
            findings=tuple(finding.to_body() for finding in self.findings),
            tables=self.tables,
            assay_version=assay_version,
            versions=dict(versions or {}),
            command=command,
        )

    @classmethod
    def from_body(cls, body: AnalysisBody) -> Self:
        """Raises ArtifactError where a finding or the configuration is of another version."""
        try:
            config = AnalysisConfig.build(body.config)
        except ConfigError as error:
            raise ArtifactError(f"analysis.json: {error} Analyse the study again.") from None
        return cls(
            findings=tuple(Finding.from_body(row) for row in body.findings),
            tables=body.tables,
            ours=body.ours,
            study=body.study,
            config=config,
            inputs=body.inputs,
        )
