"""Criteria and evidence to a verdict with reasons: pass, fail or undecided."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.gate.criteria import Criterion, load_criteria
    from assay.gate.evidence import Evidence
    from assay.gate.gate_run import decide_run
    from assay.gate.looks import LookPlan
    from assay.gate.rules import decide
    from assay.gate.verdict import Verdict

__all__ = ["Criterion", "Evidence", "LookPlan", "Verdict", "decide", "decide_run", "load_criteria"]
# Criteria are read before anything is measured: that a typing error is told at once, they come without scipy.
__getattr__ = door(
    __name__,
    {
        "Criterion": "assay.gate.criteria",
        "Evidence": "assay.gate.evidence",
        "LookPlan": "assay.gate.looks",
        "Verdict": "assay.gate.verdict",
        "decide": "assay.gate.rules",
        "decide_run": "assay.gate.gate_run",
        "load_criteria": "assay.gate.criteria",
    },
)
