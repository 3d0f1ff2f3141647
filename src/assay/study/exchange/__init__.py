"""Judging elsewhere: a study's plan out as tasks of other tools, their annotated files back in as votes."""

from assay.study.exchange.annotated import write_annotated
from assay.study.exchange.import_votes import Imported, import_votes
from assay.study.exchange.tasks import TasksWritten, write_tasks

__all__ = ["Imported", "TasksWritten", "import_votes", "write_annotated", "write_tasks"]
