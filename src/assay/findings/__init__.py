"""Findings: one figure, what it is called, and why it matters."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.findings.finding import Finding
    from assay.findings.slice import Slice
    from assay.findings.vocabulary import Meaning, Vocabulary

__all__ = ["Finding", "Meaning", "Slice", "Vocabulary"]
__getattr__ = door(
    __name__,
    {
        "Finding": "assay.findings.finding",
        "Meaning": "assay.findings.vocabulary",
        "Slice": "assay.findings.slice",
        "Vocabulary": "assay.findings.vocabulary",
    },
)
