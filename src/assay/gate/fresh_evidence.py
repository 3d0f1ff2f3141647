"""A reward on fresh pairs as evidence: the figures of fresh.json, for criteria such as `fresh accuracy > 0.8`.

Where only programs judged, people's figures are unknown, and what is unknown fails. Knows the artifact only.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.artifacts.fresh_body import FRESH, FreshBody
from assay.findings.finding import Finding
from assay.gate.evidence import Evidence, ListedFigures


def fresh_evidence(folder: Path) -> Evidence:
    """The evidence in the folder of `assay fresh`. Raises ArtifactError where fresh.json is none."""
    path = folder / FRESH
    body = FreshBody.read(path, again="Run the same `assay fresh --conclude` command again.")
    figures = ListedFigures(tuple(Finding.from_body(one) for one in body.findings))
    return Evidence(figures=figures, inputs={FRESH: sha256_file(path)}, source="fresh evidence", counted="fresh pair")
