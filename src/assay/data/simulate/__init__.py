"""Data whose truth is known: a simulated support desk, with defects planted on request."""

from assay.data.simulate.defects import DEFECTS
from assay.data.simulate.support import CATEGORIES, Simulation, support

__all__ = ["CATEGORIES", "DEFECTS", "Simulation", "support"]
