"""Data whose truth is known: a simulated support desk, with defects planted on request."""

from assay.simulate.support.defects import DEFECTS
from assay.simulate.support.desk import CATEGORIES, Simulation, support

__all__ = ["CATEGORIES", "DEFECTS", "Simulation", "support"]
