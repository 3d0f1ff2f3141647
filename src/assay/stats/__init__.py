"""Figures and how sure they are: intervals, power, agreement, win rates, rankings; `Unknown` where there is none."""

from typing import TYPE_CHECKING

from assay.lazy_names import door
from assay.stats.unknown import Unknown

if TYPE_CHECKING:
    from assay.stats.intervals import Interval

__all__ = ["Interval", "Unknown"]
__getattr__ = door(__name__, {"Interval": "assay.stats.intervals"})  # scipy is imported when it is asked for
