"""Pairs and candidates in: any layout and source, judged row by row, split without leaks."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.data.grouped_split import split
    from assay.data.groups.overlap import contamination, prompt_groups
    from assay.data.intake import PairSet, check, read_pairs

__all__ = ["PairSet", "check", "contamination", "prompt_groups", "read_pairs", "split"]
__getattr__ = door(
    __name__,
    {
        "PairSet": "assay.data.intake",
        "check": "assay.data.intake",
        "contamination": "assay.data.groups.overlap",
        "prompt_groups": "assay.data.groups.overlap",
        "read_pairs": "assay.data.intake",
        "split": "assay.data.grouped_split",
    },
)
