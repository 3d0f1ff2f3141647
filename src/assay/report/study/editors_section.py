"""People one by one and two by two: a plot, a table, both readings of attention, agreement of every two editors."""

from __future__ import annotations

from assay.artifacts.analysis_body import AttentionDetail
from assay.findings.finding import Finding
from assay.findings.slice import Slice
from assay.report import words
from assay.report.finding_text import cell
from assay.report.study.interval_rows import MOST_ROWS, interval_plot, interval_row
from assay.report.study.reported_study import ReportedStudy
from assay.study.analysis.study_result import Analysis


def editors(evidence: ReportedStudy) -> dict[str, object]:
    """People one by one: a forest plot and a table."""
    rows = [one for one in evidence.analysis.tables.editors if one.judge == "human"]
    find = evidence.analysis.find
    busiest = sorted(rows, key=lambda one: -one.judged)
    plotted = [interval_row(one.editor, find("win_rate", Slice("editor", one.editor))) for one in busiest]
    table = []
    for one in rows:
        where = Slice("editor", one.editor)
        table.append(
            {
                "name": one.editor,
                "failed": one.failed_attention,
                "judged": words.count(one.judged)
                + ("" if evidence.analysis.study.outside is not None else f" of {words.count(one.planned)}"),
                "win_rate": evidence.cell("win_rate", where),
                "left": evidence.cell("left_share", where),
                "same": evidence.cell("self_consistency", where),
                "attention": attention_text(find("attention_passed", where)),
                "seconds": words.duration(getattr(find("seconds_per_item", where), "known", None)),
                "abstained": words.count(one.abstained),
                "undone": words.count(one.undone),
            }
        )
    return {
        "figure": interval_plot(plotted, label="Win rate by editor"),
        "left_out": max(0, len(plotted) - MOST_ROWS),
        "table": table,
        "nobody": "No person is an editor of this study."
        if evidence.analysis.study.outside is None
        else "The votes do not say whose they are.",
        "both_ways": [
            (name, cell(found))
            for name in ("all", "attention passed")
            if (found := find("win_rate", Slice("editors", name))) is not None
        ],
        "excluded": evidence.analysis.config.failed_attention == "exclude",
    }


def attention_text(found: Finding | None) -> str:
    """3 of 3; none shown."""
    if found is None or found.known is None:
        return "none judged"
    return f"{AttentionDetail.of(found.detail).passed} of {found.n}"


def editor_pairs(analysis: Analysis) -> list[dict[str, str]]:
    """Agreement of every two editors."""
    return [
        {
            "editors": " and ".join(one.editors),
            "n": words.count(one.n),
            "raw": words.percent(one.raw),
            "kappa": words.plain_number(one.kappa) if one.kappa is not None else f"{words.UNKNOWN} ({one.reason})",
            "ac1": words.plain_number(one.ac1) if one.ac1 is not None else words.UNKNOWN,
        }
        for one in analysis.tables.editor_pairs
    ]
