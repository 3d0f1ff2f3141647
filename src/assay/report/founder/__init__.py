"""One page without jargon for who has to decide: did people prefer the new model, and was anything lost?"""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.report.founder.one_page import founder_page
    from assay.report.founder.told_run import tuned_a_policy

__all__ = ["founder_page", "tuned_a_policy"]
__getattr__ = door(
    __name__,
    {"founder_page": "assay.report.founder.one_page", "tuned_a_policy": "assay.report.founder.told_run"},
)
