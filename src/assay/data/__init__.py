"""Pairs in: any layout and source, judged row by row, split without leaks."""

from assay.data.intake import CheckReport, PairSet, check, read_pairs
from assay.data.overlap import contamination, prompt_groups
from assay.data.read import read_rows
from assay.data.split import Split, split

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
