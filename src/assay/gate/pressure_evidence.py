"""A reward under pressure as evidence: the figures of pressure.json, for criteria such as `turning point >= 64`.

Where gold and reward share weights its figures are unknown, and what is unknown fails. Knows the artifact only.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.artifacts.pressure_body import PRESSURE, PressureBody
from assay.findings.finding import Finding
from assay.gate.evidence import Evidence, ListedFigures


def pressure_evidence(folder: Path) -> Evidence:
    """The evidence in the folder of `assay optimise`. Raises ArtifactError where pressure.json is none."""
    path = folder / PRESSURE
    body = PressureBody.read(path, again="Run the same `assay optimise` command again.")
    figures = ListedFigures(tuple(Finding.from_body(one) for one in body.findings))
    return Evidence(figures=figures, inputs={PRESSURE: sha256_file(path)}, source="pressure test", counted="prompt")
