"""The blind study: make it, serve it, read it once it is closed, analyse it."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.study.analysis.analyse import analyse
    from assay.study.exchange.anonymous_folder import read_export, write_export
    from assay.study.plan.create import create_study
    from assay.study.store.closed_study import read_closed, read_votes

__all__ = ["analyse", "create_study", "read_closed", "read_export", "read_votes", "write_export"]
__getattr__ = door(
    __name__,
    {
        "analyse": "assay.study.analysis.analyse",  # asked for last: a server starts without scipy
        "create_study": "assay.study.plan.create",
        "read_closed": "assay.study.store.closed_study",
        "read_export": "assay.study.exchange.anonymous_folder",
        "read_votes": "assay.study.store.closed_study",
        "write_export": "assay.study.exchange.anonymous_folder",
    },
)
