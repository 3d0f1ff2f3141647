"""The verdict on a reward model and its criteria as its page shows them. Knows gate.json; decides nothing."""

from __future__ import annotations

from assay.artifacts.gate_body import CriterionBody
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.criteria_table import VerdictText, asked_of, criterion
from assay.report.run.reported_run import ReportedRun

POLICY_DECISION = {
    "pass": "Every criterion on held-out pairs is met. Whether people prefer what it writes is for a blind study "
    "to say.",
    "fail": "Do not take this policy yet: at least one criterion is not met.",
    "undecided": "Do not take this policy yet: the evidence does not decide.",
}
DECISION = {
    "pass": "Every criterion is met. A policy may be optimised against this reward, within the limits below.",
    "fail": "Do not optimise a policy against this reward yet: at least one criterion is not met.",
    "undecided": "Do not optimise a policy against this reward yet: the evidence does not decide.",
}


def verdict(evidence: ReportedRun) -> VerdictText:
    criteria = [criterion(row, more=more_pairs(row)) for row in evidence.gate.criteria]
    return {
        "word": evidence.gate.verdict,
        "decision": (DECISION if evidence.policy is None else POLICY_DECISION)[evidence.gate.verdict],
        "criteria": criteria,
        "thresholds": any(row["threshold"] for row in criteria),
    }


def more_pairs(row: CriterionBody) -> str:
    """How many pairs would decide an open criterion, in words."""
    if row.more_pairs is None:
        return ""
    return f"About {words.rounded(row.more_pairs)} more held-out pairs would decide{way(row.toward)}."


def way(toward: str | None) -> str:
    """Which way an open criterion would be decided; nothing where an earlier version of the gate did not say."""
    return f", for a {toward} if the figure stays (80% chance)" if toward else ""


def threshold(evidence: ReportedRun, category: str | None) -> float | None:
    """The accuracy the gate asks for, overall or of a category; None where no criterion states one."""
    return asked_of(evidence.gate, "accuracy", OVERALL if category is None else Slice("category", category))
