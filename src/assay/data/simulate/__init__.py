"""Data whose truth is known: a simulated support desk, with defects planted on request."""

from assay.data.simulate.support import CATEGORIES, DEFECTS, Simulation, support

__all__ = ["CATEGORIES", "DEFECTS", "Simulation", "support"]
