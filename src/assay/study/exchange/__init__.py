"""Judging elsewhere: a study's plan out as tasks of other tools, their annotated files back in as votes."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.study.exchange.annotated import write_annotated
    from assay.study.exchange.anonymous_folder import read_export, write_export
    from assay.study.exchange.task_folders import write_tasks
    from assay.study.exchange.vote_import import Imported, import_votes

__all__ = ["Imported", "import_votes", "read_export", "write_annotated", "write_export", "write_tasks"]
__getattr__ = door(
    __name__,
    {
        "Imported": "assay.study.exchange.vote_import",
        "import_votes": "assay.study.exchange.vote_import",
        "read_export": "assay.study.exchange.anonymous_folder",
        "write_annotated": "assay.study.exchange.annotated",
        "write_export": "assay.study.exchange.anonymous_folder",
        "write_tasks": "assay.study.exchange.task_folders",
    },
)
