"""Pairs in: any layout and source, judged row by row, split without leaks."""

from typing import TYPE_CHECKING

from assay.doors import door

if TYPE_CHECKING:
    from assay.data.grouped_split import Split, split
    from assay.data.groups.overlap import contamination, prompt_groups
    from assay.data.intake import CheckReport, PairSet, check, read_pairs
    from assay.data.sources.any_source import read_rows

__all__ = [
    "CheckReport",
    "PairSet",
    "Split",
    "check",
    "contamination",
    "prompt_groups",
    "read_pairs",
    "read_rows",
    "split",
]
__getattr__ = door(
    __name__,
    {
        "CheckReport": "assay.data.intake",
        "PairSet": "assay.data.intake",
        "Split": "assay.data.grouped_split",
        "check": "assay.data.intake",
        "contamination": "assay.data.groups.overlap",
        "prompt_groups": "assay.data.groups.overlap",
        "read_pairs": "assay.data.intake",
        "read_rows": "assay.data.sources.any_source",
        "split": "assay.data.grouped_split",
    },
)
