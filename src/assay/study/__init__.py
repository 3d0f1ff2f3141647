"""The blind study: make it, serve it, read it once it is closed."""

from assay.study.create import Created, Sources, create_study
from assay.study.records import Editor, StudyVote
from assay.study.store import read_votes

__all__ = ["Created", "Editor", "Sources", "StudyVote", "create_study", "read_votes"]
