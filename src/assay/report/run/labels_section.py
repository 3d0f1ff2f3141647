"""Whether it is the labels: their ceiling, turned ones, who voted how, and which to look at again. Knows no HTML."""

from __future__ import annotations

from assay.artifacts.audit_labels_table import AnnotatorRow, SuspectRow
from assay.audits.label_quality.ceiling_words import ceiling_bounds
from assay.audits.label_quality.label_meanings import LABEL_FIGURES
from assay.audits.label_quality.suspects import ARTIFACT
from assay.findings.finding import Finding
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.run.reported_run import ReportedRun

ANNOTATORS = 20


def labels(evidence: ReportedRun) -> dict[str, object] | None:
    """The sentences, findings, annotators and suspects; None where this audit did not look at labels."""
    table = evidence.tables.get("labels")
    if table is None:
        return None
    found = [evidence.head(one.name) for one in LABEL_FIGURES if not one.where_given or evidence.find(one.name)]
    shown = sorted(table["annotators"], key=lambda row: (not row["named"], -row["votes"]))[:ANNOTATORS]
    return {
        "reading": [
            ceiling_sentence(evidence.head("noise_ceiling"), evidence.head("accuracy")),
            turned_sentence(evidence.head("flipped_labels")),
            *annotator_sentences(evidence),
        ],
        "findings": [(label(one.name), cell(one), one) for one in found],
        "annotators": [annotator_row(row) for row in shown],
        "annotators_of": f"{words.count(len(shown))} of {words.plural(table['annotator_count'], 'annotator')}",
        "suspects": [suspect_row(row) for row in table["suspects"]],
        "suspected": words.plural(table["suspected"], "label"),
        "file": ARTIFACT,
    }


def ceiling_sentence(ceiling: Finding, accuracy: Finding) -> str:
    """Accuracy beside what the votes leave possible, and the point only with what it assumes."""
    bounds = ceiling_bounds(ceiling)
    if bounds is None or accuracy.known is None:
        return words.sentence(f"how far any reader could come on these labels is unknown: {ceiling.reason}")
    differ, point = ceiling.detail.get("two_votes_differ"), ceiling.detail.get("point_if_beta")
    said = (
        f"Two votes on one pair differ in {words.percent(differ)}. {words.sentence(bounds.beside(accuracy.known))} The "
        f"reward is at {words.percent(accuracy.known)}."
    )
    if point is None:
        return said
    return (
        f"{said} If shares of votes followed a symmetric beta distribution the ceiling would be "
        f"{words.percent(point)}; the votes alone do not say so."
    )


def turned_sentence(turned: Finding) -> str:
    if turned.known is None:
        return words.sentence(f"how many labels are turned round is unknown: {turned.reason}")
    return (
        f"By the margins, labels turned round or confident mistakes of the reward make up {inline(turned)}; only "
        "reading them tells which."
    )


def annotator_sentences(evidence: ReportedRun) -> list[str]:
    """Who was named, and for what."""
    said = []
    whom = {"biased_annotators": "a side or a length draws", "unreliable_annotators": "others disagree with"}
    for name, what in whom.items():
        found = evidence.find(name)
        if found is not None and found.known and found.verdict in ("warning", "problem"):
            named = words.listing([words.visible(str(one)) for one in found.detail.get("named", [])[:5]])
            said.append(f"{words.plural(int(found.known), 'annotator')} whom {what}: {named}.")
    return said


def annotator_row(row: AnnotatorRow) -> dict[str, str]:
    def beside(own: float | None, others: float | None) -> str:
        return f"{words.percent(own)} ({words.percent(others)})" if own is not None else words.UNKNOWN

    return {
        "name": words.visible(row["annotator"]),
        "votes": words.count(row["votes"]),
        "reliability": words.percent(row["reliability"]),
        "agreement": beside(row["agreement"], row["agreement_of_others"]),
        "left": beside(row["left"], row["left_of_others"]),
        "longer": beside(row["longer"], row["longer_of_others"]),
        "named": words.listing([label(name).lower() for name in row["named"]]) if row["named"] else "",
    }


def suspect_row(row: SuspectRow) -> dict[str, str]:
    return {
        "pair": words.visible(row["pair_id"]),
        "category": words.visible(row["category"] or ""),
        "wrong": words.percent(row["wrong"]),
        "margin": words.UNKNOWN if row["margin"] is None else f"{row['margin']:+.2f}",
        "votes": f"{row['votes_for']} : {row['votes_against']}" if row["votes_for"] + row["votes_against"] else "none",
        "where": words.visible(row["where"]),
    }
