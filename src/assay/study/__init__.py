"""The blind study: make it, serve it, read it once it is closed, analyse it."""

from typing import TYPE_CHECKING, Any

from assay.study.exchange.anonymous_folder import read_export, write_export
from assay.study.plan.create import Created, Sources, create_study
from assay.study.store.study_store import read_closed, read_votes
from assay.study.study_records import ClosedStudy, Editor, StudyVote

if TYPE_CHECKING:
    from assay.study.analysis.analyse import analyse
    from assay.study.analysis.study_result import Analysis

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
        from assay.study.analysis import analyse

        return getattr(analyse, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
