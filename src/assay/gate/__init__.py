"""Criteria and evidence to a verdict with reasons: pass, fail or undecided."""

from assay.gate.criteria import Criterion, load_criteria
from assay.gate.decide import Verdict, decide
from assay.gate.evidence import Evidence
from assay.gate.run import decide_run

__all__ = ["Criterion", "Evidence", "Verdict", "decide", "decide_run", "load_criteria"]
