"""What people said: one bar of all votes, the shares, and how many prompts lean to which side. Knows the analysis."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from assay.artifacts.analysis_body import MajorityDetail
from assay.report import words
from assay.report.plots.svg import Drawing
from assay.report.study.reported_study import ReportedStudy, other_system
from assay.study.analysis.study_result import Analysis


def votes(evidence: ReportedStudy) -> dict[str, object]:
    counts = evidence.analysis.tables.counts
    parts_ = [
        (f"{evidence.analysis.ours} better", counts.won, "won"),
        ("about the same", counts.tied, "tied"),
        ("both bad", counts.both_bad, "bad"),
        (f"{other_system(evidence.analysis)} better", counts.lost, "lost"),
    ]
    known = [(said, n, css) for said, n, css in parts_ if n is not None]
    total = sum(n for _, n, _ in known)
    return {
        "bars": [vote_bar(known, total, width) for width in (760, 350)] if total else None,
        "parts": [(said, words.count(n), words.percent(n / total) if total else "", css) for said, n, css in known],
        "said": majority_sentences(evidence.analysis),
        "table": evidence.named("ties", "both_bad", "abstentions", "majority_share", "majority_p_value", "coverage"),
    }


def vote_bar(parts_: Sequence[tuple[str, int, str]], total: int, width: int) -> Markup:
    """One bar of all votes, cut by what they said."""
    said = ", ".join(f"{name} {n}" for name, n, _ in parts_)
    drawing = Drawing(width, 34, label=f"{total} votes: {said}", css="narrow" if width < 400 else "wide")
    x = 0.0
    for name, n, css in parts_:
        size = width * n / total
        drawing.rect((x, 2, max(size - 1, 0), 30), f"cut {css}", f"{name}: {n}")
        text = words.percent(n / total, 0)
        if size > 8 * len(text) + 8:
            drawing.text(x + size / 2, 22, text, f"mid num on-{css}")
        x += size
    return drawing.markup()


def majority_sentences(analysis: Analysis) -> str:
    found = analysis.find("majority_share")
    if found is None or found.known is None:
        return f"Majorities per prompt: unknown ({found.reason if found else 'not measured'})."
    told = MajorityDetail.of(found.detail)
    needed = told.needed
    need = (
        f"It takes {words.count(needed)} of {words.count(found.n)} to tell them from a coin"
        if needed is not None
        else f"No split of {words.plural(found.n, 'prompt')} can be told from a coin"
    )
    return (
        f"Counted by prompt, {words.count(told.won)} lean to {analysis.ours}, {words.count(told.lost)} to "
        f"{other_system(analysis)}, and {words.count(told.tied)} to neither. {need}; "
        f"p = {words.plain_number(told.p_value)} (exact, two-sided)."
    )
