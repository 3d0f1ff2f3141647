"""Data whose truth is known: a simulated support desk, with defects planted on request."""

from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.defects import DEFECTS
from assay.simulate.support.shortcuts import SHORTCUTS
from assay.simulate.support.simulation import Simulation, support

__all__ = ["CATEGORIES", "DEFECTS", "SHORTCUTS", "Simulation", "support"]
