"""From files and options to a sealed plan: answers become items, items become showings, and what it can see is said."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.study.plan.create import Created, Sources, create_study

__all__ = ["Created", "Sources", "create_study"]
__getattr__ = door(__name__, dict.fromkeys(__all__, "assay.study.plan.create"))
