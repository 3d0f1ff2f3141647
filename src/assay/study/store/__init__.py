"""A study at rest in its database: written once, acts appended, read without a choice while open, whole when closed."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.study.store.closed_study import read_closed, read_votes
    from assay.study.store.closing import close_study
    from assay.study.store.open_study import read_facts, read_progress
    from assay.study.store.verification import verify

__all__ = ["close_study", "read_closed", "read_facts", "read_progress", "read_votes", "verify"]
__getattr__ = door(
    __name__,
    {
        "close_study": "assay.study.store.closing",
        "read_closed": "assay.study.store.closed_study",
        "read_facts": "assay.study.store.open_study",
        "read_progress": "assay.study.store.open_study",
        "read_votes": "assay.study.store.closed_study",
        "verify": "assay.study.store.verification",
    },
)
