"""Whether sigmoid(margin) can be read as a probability: the reliability diagram and what it says. Knows no HTML."""

from __future__ import annotations

from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.plots import charts
from assay.report.run.reported_run import ReportedRun


def calibration(evidence: ReportedRun) -> dict[str, object] | None:
    """The reliability diagram, if this audit measured calibration."""
    table = evidence.tables["calibration"]
    found = [f for f in evidence.findings if f.name == "calibration_error" and f.slice == OVERALL]
    if not table and not found:
        return None
    rows = table["bins"] if table else []
    bins = [(b["stated"], b["observed"], b["n"]) for b in rows if b["stated"] is not None and b["observed"] is not None]
    heard = "; ".join(f"stated {words.percent(s)}, right {words.percent(o)}" for s, o, _ in bins)
    return {
        "svg": charts.reliability(bins, label=f"Reliability: {heard}") if bins else None,
        "reading": [calibration_reading(f) for f in found],
        "findings": [(label(f.name), cell(f), f) for f in found],
    }


def calibration_reading(found: Finding) -> str:
    """Whether the model states more than it keeps."""
    stated, right = found.detail.get("mean_stated"), found.detail.get("share_right")
    if stated is None or right is None:
        return words.sentence(f"calibration error: {inline(found)}")
    side = "more" if stated > right else "less"
    return (
        f"On average the model states {words.percent(stated)} for the answer it prefers and is right on "
        f"{words.percent(right)}: it claims {abs(100 * (stated - right)):.1f} points {side} than it keeps."
    )
