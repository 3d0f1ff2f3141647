"""The blind study: make it, serve it, read it once it is closed, analyse it."""

from typing import TYPE_CHECKING

from assay.doors import door

if TYPE_CHECKING:
    from assay.study.analysis.analyse import analyse
    from assay.study.analysis.study_result import Analysis
    from assay.study.exchange.anonymous_folder import read_export, write_export
    from assay.study.plan.create import Created, Sources, create_study
    from assay.study.store.study_store import read_closed, read_votes
    from assay.study.study_records import ClosedStudy, Editor, StudyVote

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
__getattr__ = door(
    __name__,
    {
        "Analysis": "assay.study.analysis.study_result",
        "analyse": "assay.study.analysis.analyse",
        "Created": "assay.study.plan.create",
        "Sources": "assay.study.plan.create",
        "create_study": "assay.study.plan.create",
        "read_closed": "assay.study.store.study_store",
        "read_votes": "assay.study.store.study_store",
        "read_export": "assay.study.exchange.anonymous_folder",
        "write_export": "assay.study.exchange.anonymous_folder",
        "ClosedStudy": "assay.study.study_records",
        "Editor": "assay.study.study_records",
        "StudyVote": "assay.study.study_records",
    },
)
