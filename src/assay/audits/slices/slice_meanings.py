"""The figure of slices: unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

SLICE_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="weakest_slice",
        unit="share difference",
        why="Accuracy of the slice that stands out most, less that of all other pairs. Judged against luck among all "
        "slices scanned, and 3 points below count for nothing: named here, it is truly worse.",
        title="Weakest slice against the rest",
        shown={"terminal": ""},
    ),
)
