"""Published suites of graded answers, read as published and scored as their authors score them."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.suites.open import SUITES, open_suite
    from assay.suites.standing import Standing, standings
    from assay.suites.suite import Suite

__all__ = ["SUITES", "Standing", "Suite", "open_suite", "standings"]
__getattr__ = door(
    __name__,
    {
        "SUITES": "assay.suites.open",
        "Standing": "assay.suites.standing",
        "Suite": "assay.suites.suite",
        "open_suite": "assay.suites.open",
        "standings": "assay.suites.standing",
    },
)
