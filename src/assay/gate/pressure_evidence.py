"""A reward under pressure as evidence: the figures of pressure.json and fit.json.

For criteria such as `turning point >= 64` and `outside share < 0.1`. Where gold and reward share weights the figures of
pressure are unknown, and what is unknown fails. Knows the artifacts only.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.artifacts.fit_body import FIT, FitBody
from assay.artifacts.pressure_body import PRESSURE, PressureBody
from assay.findings.finding import Finding
from assay.gate.evidence import Evidence, ListedFigures


def pressure_evidence(folder: Path) -> Evidence:
    """The evidence in the folder of `assay optimise`. Raises ArtifactError where pressure.json is none."""
    path = folder / PRESSURE
    body = PressureBody.read(path, again="Run the same `assay optimise` command again.")
    bodies, inputs = list(body.findings), {PRESSURE: sha256_file(path)}
    if (fit := folder / FIT).exists():  # folders written before there was a fit have none
        bodies += FitBody.read(fit, again="Run the same `assay optimise` command again.").findings
        inputs[FIT] = sha256_file(fit)
    figures = ListedFigures(tuple(map(Finding.from_body, bodies)))
    return Evidence(figures=figures, inputs=inputs, source="pressure test", counted="prompt")
