"""Any prompt and any text of the support desk, read back: what is asked, what is true, and what an answer is worth."""

from assay.simulate.support.reading.gold_utility import gold_utility, read_quality
from assay.simulate.support.reading.read_case import ReadCase, read_case

__all__ = ["ReadCase", "gold_utility", "read_case", "read_quality"]
