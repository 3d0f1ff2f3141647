"""The blind study: make it, serve it, read it once it is closed, analyse it."""

from typing import TYPE_CHECKING, Any

from assay.study.create import Created, Sources, create_study
from assay.study.exports import read_export, write_export
from assay.study.records import ClosedStudy, Editor, StudyVote
from assay.study.store import read_closed, read_votes

if TYPE_CHECKING:
    from assay.study.analysis import Analysis, analyse

__all__ = [
    "Analysis",
    "ClosedStudy",
    "Created",
    "Editor",
    "Sources",
    "StudyVote",
    "analyse",
    "create_study",
    "read_closed",
    "read_export",
    "read_votes",
    "write_export",
]


def __getattr__(name: str) -> Any:
    if name in ("Analysis", "analyse"):  # a server starts without scipy
        from assay.study import analysis

        return getattr(analysis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
