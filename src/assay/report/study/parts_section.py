"""Parts of the study: by category, aspect and opponent, and the ranking of three or more systems."""

from __future__ import annotations

from assay.report import words
from assay.report.finding_text import cell
from assay.report.study.interval_rows import MOST_ROWS, interval_plot, interval_row
from assay.report.study.reported_study import ReportedStudy


def parts(evidence: ReportedStudy) -> list[dict[str, object]]:
    """Win rates by category, aspect and opponent, and the ranking of three or more systems."""
    titles = (
        ("category", "By category", "win_rate"),
        ("aspect", "By aspect editors rated", "win_rate"),
        ("against", "By opponent", "win_rate"),
        ("system", "All systems on one scale (Bradley-Terry: chance to beat the average system)", "strength"),
    )
    out: list[dict[str, object]] = []
    for kind, title, name in titles:
        found = [f for f in evidence.analysis.findings if f.name == name and f.slice.part == kind]
        if not found:
            continue
        rows = [interval_row(f.slice.label, f) for f in found]
        unknown = sorted({f.reason for f in found if f.known is None and f.reason})
        out.append(
            {
                "title": title,
                "figure": interval_plot(rows, label=title),
                "table": [(f.slice.label, words.count(f.n), cell(f)) for f in found],
                "long": len(found) > MOST_ROWS,
                "unknown": unknown if all(f.known is None for f in found) else [],
            }
        )
    return out
