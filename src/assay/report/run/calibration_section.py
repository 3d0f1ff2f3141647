"""Whether sigmoid(margin) can be read as a probability: the reliability diagram and what it says. Knows no HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.findings.finding import Finding
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.plots import charts
from assay.report.run.reported_run import ReportedRun

SHOWN = (
    "calibration_error",
    "calibration_slope",
    "temperature",
    "calibration_error_after_temperature",
    "brier_score",
    "log_loss",
    "calibration_slope_votes",
    "calibration_error_votes",
)


def calibration(evidence: ReportedRun) -> dict[str, object] | None:
    """The reliability diagram, if this audit measured calibration."""
    table = evidence.tables["calibration"]
    named = [evidence.find(name) for name in SHOWN]
    found = [f for f in named if f is not None]
    if not table and not found:
        return None
    rows = table["bins"] if table else []
    bins = [(b["stated"], b["observed"], b["n"]) for b in rows if b["stated"] is not None and b["observed"] is not None]
    heard = "; ".join(f"stated {words.percent(s)}, right {words.percent(o)}" for s, o, _ in bins)
    return {
        "svg": charts.reliability(bins, label=f"Reliability: {heard}") if bins else None,
        "reading": [line for f in found for line in READINGS.get(f.name, no_reading)(f)],
        "findings": [(label(f.name), cell(f), f) for f in found],
    }


def no_reading(found: Finding) -> list[str]:
    return []


def error_reading(found: Finding) -> list[str]:
    """Whether the model states more than it keeps."""
    stated, right = found.detail.get("mean_stated"), found.detail.get("share_right")
    if stated is None or right is None:
        return [words.sentence(f"calibration error: {inline(found)}")]
    side = "more" if stated > right else "less"
    return [
        f"On average the model states {words.percent(stated)} for the answer it prefers and is right on "
        f"{words.percent(right)}: it claims {abs(100 * (stated - right)):.1f} points {side} than it keeps."
    ]


def slope_reading(found: Finding) -> list[str]:
    """Which way confidences are wrong, and what mends them."""
    direction, slope = found.detail.get("direction"), found.known
    if slope is None or direction not in ("over-confident", "under-confident"):
        return []
    return [
        f"It is {direction}: {words.number(slope)} of the log odds it states come true. Dividing margins by "
        f"{words.number(1 / slope)} mends the scale and changes no order."
    ]


READINGS: Mapping[str, Callable[[Finding], list[str]]] = {
    "calibration_error": error_reading,
    "calibration_slope": slope_reading,
}
