"""Criteria and evidence to a verdict with reasons: pass, fail or undecided."""

from assay.gate.criteria import Criterion, load_criteria
from assay.gate.evidence import Evidence
from assay.gate.gate_run import decide_run
from assay.gate.looks import LookPlan
from assay.gate.rules import decide
from assay.gate.verdict import Verdict

__all__ = ["Criterion", "Evidence", "LookPlan", "Verdict", "decide", "decide_run", "load_criteria"]
