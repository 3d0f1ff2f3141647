"""What length alone explains: bins of length difference, length-matched pairs, correlation, scatter. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence

from assay.artifacts.audit_body import LengthBin
from assay.audits.pairs.length_rule import rule_to_beat
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.plots import charts, forest
from assay.report.run.accuracy_section import forest_in_words
from assay.report.run.reported_run import ReportedRun

SCATTER_DOTS = 600


def length(evidence: ReportedRun) -> dict[str, object]:
    """What length alone explains: bins of length difference, length-matched pairs, correlation, scatter."""
    table = evidence.tables["length"]
    unit = table["unit"]
    bins = [bin_row(row) for row in table["bins"]]
    points = [(row["length_difference"], row["margin"]) for row in table["points"]]
    dots = thin([(across, up) for across, up in points if up is not None])
    wanted = EVERY_FIGURE.shown_in("length section")
    found = [evidence.head(name) for name in wanted if not EVERY_FIGURE[name].where_given or evidence.find(name)]
    words_x = f"length of chosen − length of rejected, {unit}"
    return {
        "figure": forest.forest(bins, label=forest_in_words(bins)) if bins else None,
        "scatter": charts.scatter(dots, x_words=words_x, label=f"{words_x} against margin, {len(dots)} pairs")
        if dots
        else None,
        "shown": words.count(len(dots)),
        "of": words.plural(evidence.head("accuracy").n, "pair"),
        "seed": table["seed"],
        "findings": [(label(f.name), cell(f), f) for f in found],
        "unit": unit,
        "reading": length_reading(evidence),
    }


def length_reading(evidence: ReportedRun) -> list[str]:
    """What the length findings say, in sentences."""
    shorter, longer = evidence.head("accuracy_shorter_preferred"), evidence.head("accuracy_longer_preferred")
    matched, tied = evidence.head("length_matched_accuracy"), evidence.head("reward_length_correlation")
    rule = rule_to_beat(evidence.head("length_baseline"))
    beat = []
    if rule is not None:
        beat.append(
            f"People preferred {rule.answer} on {words.percent(rule.share)} of the pairs, so {rule.words} is the "
            f"rule to beat; accuracy beyond it is {inline(evidence.head(rule.beyond))}."
        )
    return [
        *beat,
        f"Where people preferred the shorter answer, the model is right on {inline(shorter)}; where they preferred the "
        f"longer one, on {inline(longer)}.",
        f"On pairs of about equal length, where length cannot help: {inline(matched)}.",
        f"Within a pair, reward difference and length difference correlate with r = {inline(tied)}.",
    ]


def bin_row(row: LengthBin) -> forest.Row:
    """One bin of length difference as a row of the forest plot."""
    interval = row["interval"]
    return forest.Row(
        label=f"{words.signed(row['low'], 0)} to {words.signed(row['high'], 0)} ({words.count(row['n'])})",
        value=row["accuracy"],
        low=interval["low"] if interval else None,
        high=interval["high"] if interval else None,
        baseline=row["baseline"],
    )


def thin(dots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most SCATTER_DOTS of them, evenly taken, the same every time."""
    if len(dots) <= SCATTER_DOTS:
        return list(dots)
    step = len(dots) / SCATTER_DOTS
    return [dots[int(index * step)] for index in range(SCATTER_DOTS)]
