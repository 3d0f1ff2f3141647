"""A capability test as evidence: the figures of capability.json, for criteria such as `capability drop < 0.02`.

The drop is unknown where the model before is at chance, and what is unknown fails. Knows the artifact; knows no model.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.capability_body import CAPABILITY, CapabilityBody
from assay.artifacts.files import sha256_file
from assay.findings.finding import Finding
from assay.gate.evidence import Evidence, ListedFigures


def capability_evidence(folder: Path) -> Evidence:
    """The evidence in the folder of a capability test. Raises ArtifactError where capability.json is none."""
    path = folder / CAPABILITY
    body = CapabilityBody.read(path, again="Run the same `assay capability` command again.")
    figures = ListedFigures(tuple(Finding.from_body(one) for one in body.findings))
    return Evidence(
        figures=figures, inputs={CAPABILITY: sha256_file(path)}, source="capability test", counted="question"
    )
