"""Accuracy by category, beside the length rule, the oracle and what the gate asks for. Knows no HTML.

Each function takes the run and returns what its part of the template shows; figures arrive as finished SVG.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice, category
from assay.report import words
from assay.report.finding_text import cell, inline
from assay.report.plots import forest
from assay.report.run.reported_run import ReportedRun
from assay.report.run.verdict import threshold


def slices(evidence: ReportedRun) -> list[tuple[Slice, str, str | None]]:
    """(slice, label, category) of the whole and of every category."""
    return [(OVERALL, "Overall", None), *((category(name), name, name) for name in evidence.categories())]


def accuracy(evidence: ReportedRun) -> dict[str, object]:
    """Accuracy overall and by category, beside the longest-wins baseline."""
    head = evidence.head("accuracy")
    rows = accuracy_rows(evidence)
    return {
        "figure": forest.forest(rows, label=forest_in_words(rows)),
        "table": accuracy_table(evidence),
        "gap": gap_sentence(evidence.head("category_gap")),
        "ceiling": f"Noise ceiling of these labels, at most: {inline(evidence.head('noise_ceiling'))}.",
        "oracle": any(row.oracle is not None for row in rows),
        "threshold": any(row.threshold is not None for row in rows),
        "why": head.why,
        "level": words.level(head.bounds),
    }


def gap_sentence(found: Finding) -> str:
    said = f"Gap between best and worst category: {inline(found)}"
    best, worst = found.detail.get("best"), found.detail.get("worst")
    if not (best and worst):
        return f"{said}. {found.why}"
    of_best, of_worst = (found.detail.get(f"{name}_pairs") for name in ("best", "worst"))
    on = f" ({words.count(of_best)} against {words.plural(of_worst, 'pair')})" if words.known(of_worst) else ""
    return f"{said}, {best} against {worst}{on}. {found.why}"


def accuracy_rows(evidence: ReportedRun) -> list[forest.Row]:
    out = []
    for where, label, name in slices(evidence):
        model = evidence.head("accuracy", where)
        out.append(
            forest.Row(
                label=label,
                value=model.known,
                low=model.bounds.low if model.bounds else None,
                high=model.bounds.high if model.bounds else None,
                baseline=evidence.head("length_baseline", where).known,
                oracle=evidence.oracle(name),
                threshold=threshold(evidence, name),
                strong=name is None,
            )
        )
    return out


def accuracy_table(evidence: ReportedRun) -> list[dict[str, object]]:
    return [
        {
            "label": label,
            "total": name is None,
            "n": words.count(evidence.head("accuracy", where).n),
            "model": cell(evidence.head("accuracy", where)),
            "baseline": cell(evidence.head("length_baseline", where)),
            "beyond": cell(evidence.head("accuracy_beyond_length", where)),
            "oracle": words.percent(evidence.oracle(name)),
        }
        for where, label, name in slices(evidence)
    ]


def forest_in_words(shown: Sequence[forest.Row]) -> str:
    """The plot in words, for who cannot see it."""
    parts = [
        f"{row.label} {forest.in_words(row)}"
        + (f", longest wins {words.percent(row.baseline)}" if row.baseline is not None else "")
        for row in shown
    ]
    return "Held-out accuracy with interval: " + "; ".join(parts)
