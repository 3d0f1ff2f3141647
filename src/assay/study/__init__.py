"""The blind study: make it, serve it, read it once it is closed."""

from assay.study.create import Created, Sources, create_study
from assay.study.exports import read_export, write_export
from assay.study.records import ClosedStudy, Editor, StudyVote
from assay.study.store import read_closed, read_votes

__all__ = [
    "ClosedStudy",
    "Created",
    "Editor",
    "Sources",
    "StudyVote",
    "create_study",
    "read_closed",
    "read_export",
    "read_votes",
    "write_export",
]
