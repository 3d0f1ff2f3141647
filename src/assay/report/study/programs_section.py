"""Programs that judged: their own figures, and their agreement with people beside one person's. Knows the analysis."""

from __future__ import annotations

from assay.findings.slice import Slice
from assay.report.finding_text import Cell
from assay.report.study.reported_study import ReportedStudy

KINDS = {"human": "people", "simulated": "simulated judge", "llm": "language model as judge"}


def programs(evidence: ReportedStudy) -> list[dict[str, object]]:
    """Programs that judged: their own figures, and their agreement with people."""
    out = []
    kinds = {one.editor: one.judge for one in evidence.analysis.tables.editors}
    for where in evidence.slices("judge"):
        name = where.label
        out.append(
            {
                "name": name,
                "kind": KINDS.get(kinds.get(name, ""), "program"),
                "win_rate": evidence.cell("win_rate", where),
                "left": evidence.cell("left_share", where),
                "same": evidence.cell("self_consistency", where),
                "people": evidence.cell("judge_agreement", where),
            }
        )
    if out:
        people = evidence.cell("judge_agreement", Slice("one person against the others"))
        none = Cell(text="", sub="")
        out.append(
            {
                "name": "one person against the others",
                "kind": "for comparison",
                "win_rate": none,
                "left": none,
                "same": none,
                "people": people,
            }
        )
    return out
