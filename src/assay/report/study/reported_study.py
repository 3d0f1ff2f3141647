"""What a result page says of a study: analysis.json and gate.json read once, findings as cells, the bar asked for.

Knows the artifacts; knows no section of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.artifacts.analysis_body import ANALYSIS, AnalysisBody
from assay.artifacts.files import sha256_file
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_evidence import GATE
from assay.artifacts.run_folder import RunFolder
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.criteria_table import asked_of
from assay.report.finding_text import Cell, cell, label
from assay.study.analysis.study_result import Analysis

NamedFinding = tuple[str, Cell, Finding]  # as the shared table of findings takes them


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedStudy:
    """What the page is made from. body: analysis.json as it stands. hashes: of the files it was made from."""

    analysis: Analysis
    gate: GateBody
    body: AnalysisBody
    hashes: Mapping[str, str]

    def cell(self, name: str, where: Slice = OVERALL) -> Cell:
        found = self.analysis.find(name, where)
        return cell(found) if found is not None else Cell(text=words.UNKNOWN, why="not measured")

    def named(self, *names: str) -> list[NamedFinding]:
        """Overall findings of these names, with their label and cell."""
        found = ((name, self.analysis.find(name)) for name in names)
        return [(label(name), cell(one), one) for name, one in found if one is not None]

    def slices(self, part: str) -> list[Slice]:
        """Slices of a part that hold a win rate, in the analysis's order."""
        return [f.slice for f in self.analysis.findings if f.name == "win_rate" and f.slice.part == part]

    @property
    def threshold(self) -> float | None:
        """The win rate the gate asks for, where a criterion states one."""
        return asked_of(self.gate, "win_rate", OVERALL)


def read_reported_study(folder: RunFolder) -> ReportedStudy:
    """Raises ArtifactError if analysis.json or gate.json is missing or of another version."""
    body = AnalysisBody.read(folder.path(ANALYSIS))
    return ReportedStudy(
        analysis=Analysis.from_body(body),
        gate=GateBody.read(folder.path(GATE)),
        body=body,
        hashes={name: sha256_file(folder.path(name)) for name in (ANALYSIS, GATE)},
    )


def other_system(analysis: Analysis) -> str:
    """The system ours is compared with, by name where there is one."""
    others = [name for name in analysis.study.systems if name != analysis.ours]
    return others[0] if len(others) == 1 else "the other systems"
