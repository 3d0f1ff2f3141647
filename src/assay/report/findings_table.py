"""The table of all findings that closes every page: one row a finding, none left out. Knows findings; knows no page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.findings.finding import Finding
from assay.report import words
from assay.report.finding_text import Cell, cell, label


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One finding in words. seed: `all` over seeds. verdict: empty where the figure is described and not judged."""

    name: str
    slice: str
    seed: str
    n: str
    cell: Cell
    verdict: str


def findings_table(findings: Sequence[Finding]) -> list[FindingRow]:
    """Every finding, in the order of the artifact."""
    return [
        FindingRow(
            name=label(found.name),
            slice=found.slice.label if found.slice.part == "category" else str(found.slice),
            seed="all" if found.seed is None else str(found.seed),
            n=words.count(found.n),
            cell=cell(found),
            verdict=found.verdict or "",
        )
        for found in findings
    ]
