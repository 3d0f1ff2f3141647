"""The labels' part of an audit: votes and margins -> findings, the table of labels, and the labels to look at again."""

from __future__ import annotations

import numpy as np

from assay.artifacts.audit_labels_table import LabelsTable
from assay.audits.label_quality.annotator_habits import annotator_findings, annotator_rows, ask
from assay.audits.label_quality.label_ceiling import against_votes, agreement_finding, ceiling_finding, power_to_find
from assay.audits.label_quality.label_meanings import MEANINGS
from assay.audits.label_quality.label_votes import label_votes
from assay.audits.label_quality.suspects import ARTIFACT, SHOWN, for_review, suspect_rows, suspects
from assay.audits.part import Found, Given
from assay.audits.scores_table import Aligned
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.dawid_skene import dawid_skene
from assay.stats.intervals import Array
from assay.stats.label_noise import HIGHEST, TurnedShare, turned_by_margins
from assay.stats.unknown import Unknown

WEIGHT = 5.0  # in the family of alarms: any share above 0 counts, and margins tell it faintly


def labels(given: Given) -> Found:
    """Ceiling, agreement, turned labels, annotators, and the labels that look wrong."""
    aligned, config = given.aligned, given.config
    votes = label_votes(aligned.pairs)
    unit_N, turned = _turned(aligned, level=config.level)
    findings = [ceiling_finding(votes, aligned.groups, level=config.level), _flipped(turned, aligned)]
    table: LabelsTable = {
        "annotators": [],
        "annotator_count": len(votes.names),
        "suspects": [],
        "suspected": 0,
        "expected_wrong": None,
    }
    right_N: Array | None = None
    if votes.count:
        readers = dawid_skene(votes.pair_V, votes.rater_V, votes.says_V, votes.place_V)
        right_N = np.full(aligned.n, 0.5)
        right_N[: readers.first_I.size] = readers.first_I
        findings += [
            agreement_finding(votes, aligned.groups, level=config.level, resamples=config.resamples, seed=config.seed),
            against_votes(right_N, votes, aligned.groups, level=config.level),
        ]
        asked = ask(votes, np.sign(aligned.length_difference), aligned.groups)
        named = annotator_findings(votes, asked)
        findings += named
        table["annotators"] = annotator_rows(votes, asked, readers, named)
    found = suspects(unit_N, turned, right_N, votes)
    review: list[dict[str, object]] = []
    if not isinstance(found, Unknown):
        rows = suspect_rows(found, aligned, votes)
        review = for_review(rows, found, aligned)
        table["suspects"], table["suspected"] = rows[:SHOWN], len(rows)
        table["expected_wrong"] = found.expected
    return Found(findings=findings, tables={"labels": table}, beside={ARTIFACT: review})


def _turned(aligned: Aligned, *, level: float) -> tuple[Array, TurnedShare | Unknown]:
    """Margins over seeds, each seed's in units of its own size, NaN where one is not finite; and what they say."""
    usable = aligned.finite.all(axis=0)
    unit = np.full(aligned.n, np.nan)
    if not usable.any():
        return unit, Unknown("no pair has finite rewards with every seed")
    margin = aligned.margin[:, usable]
    scale = np.sqrt(np.square(margin).mean(axis=1, keepdims=True))
    unit[usable] = (margin / np.where(scale > 0, scale, 1.0)).mean(axis=0)
    return unit, turned_by_margins(unit[usable], aligned.groups[usable], level=level)


def _flipped(turned: TurnedShare | Unknown, aligned: Aligned) -> Finding:
    meaning = MEANINGS["flipped_labels"]
    n = int(aligned.finite.all(axis=0).sum())
    if isinstance(turned, Unknown):
        return unknown(meaning, turned.reason, n=n)
    detail = {"slope": turned.slope, "design_effect": turned.stretch}
    # Margins that tell nothing fit any share of turned labels, and then silence is no all-clear.
    blind = turned.interval.high >= HIGHEST
    alarm = Alarm(p=turned.p, power=0.0 if blind else power_to_find(turned), weight=WEIGHT)
    return measured(meaning, turned.value, n=n, interval=turned.interval, detail=detail, alarm=alarm)
