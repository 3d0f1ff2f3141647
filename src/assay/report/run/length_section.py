"""What length alone explains: bins of length difference, length-matched pairs, correlation, scatter. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence

from assay.artifacts.run_json import BinJson, LengthTableJson
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.plots import charts, forest
from assay.report.run.accuracy_section import forest_in_words
from assay.report.run.reported_run import ReportedRun

SCATTER_DOTS = 600
EXTRAS = {"length_baseline_tokens"}  # measured only where the caller gives what it needs
LENGTH_FINDINGS = (
    "length_baseline",
    "length_baseline_tokens",
    "accuracy_beyond_length",
    "length_matched_accuracy",
    "accuracy_shorter_preferred",
    "accuracy_longer_preferred",
    "reward_length_correlation",
    "accuracy_without_length",
    "gain_over_length",
)


def length(evidence: ReportedRun) -> dict[str, object]:
    """What length alone explains: bins of length difference, length-matched pairs, correlation, scatter."""
    table: LengthTableJson = evidence.tables.get("length") or {}
    unit = table.get("unit") or "tokens"
    bins = [bin_row(row, unit) for row in table.get("bins") or [] if row.get("n")]
    points = [(row.get("length_difference"), row.get("margin")) for row in table.get("points") or []]
    dots = thin([(across, up) for across, up in points if words.known(across) and words.known(up)])
    found = [evidence.head(name) for name in LENGTH_FINDINGS if name not in EXTRAS or evidence.find(name)]
    words_x = f"length of chosen − length of rejected, {unit}"
    return {
        "figure": forest.forest(bins, label=forest_in_words(bins)) if bins else None,
        "scatter": charts.scatter(dots, x_words=words_x, label=f"{words_x} against margin, {len(dots)} pairs")
        if dots
        else None,
        "shown": words.count(len(dots)),
        "of": words.plural(evidence.head("accuracy").n, "pair"),
        "seed": table.get("seed"),
        "findings": [(label(f.name), cell(f), f) for f in found],
        "unit": unit,
        "reading": length_reading(evidence),
    }


def length_reading(evidence: ReportedRun) -> list[str]:
    """What the length findings say, in sentences."""
    shorter, longer = evidence.head("accuracy_shorter_preferred"), evidence.head("accuracy_longer_preferred")
    matched, tied = evidence.head("length_matched_accuracy"), evidence.head("reward_length_correlation")
    return [
        f"Where people preferred the shorter answer, the model is right on {inline(shorter)}; where they preferred the "
        f"longer one, on {inline(longer)}.",
        f"On pairs of about equal length, where length cannot help: {inline(matched)}.",
        f"Within a pair, reward difference and length difference correlate with r = {inline(tied)}.",
    ]


def bin_row(row: BinJson, unit: str) -> forest.Row:
    """One bin of length difference as a row of the forest plot."""
    low, high = row.get("low"), row.get("high")
    if low is not None and high is not None:
        label = f"{words.signed(low, 0)} to {words.signed(high, 0)}"
    else:
        label = str(row.get("label", ""))
    interval = row.get("interval")
    return forest.Row(
        label=f"{label} ({words.count(row.get('n'))})",
        value=row.get("accuracy"),
        low=interval["low"] if interval else None,
        high=interval["high"] if interval else None,
        baseline=row.get("baseline"),
    )


def thin(dots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most SCATTER_DOTS of them, evenly taken, the same every time."""
    if len(dots) <= SCATTER_DOTS:
        return list(dots)
    step = len(dots) / SCATTER_DOTS
    return [dots[int(index * step)] for index in range(SCATTER_DOTS)]
