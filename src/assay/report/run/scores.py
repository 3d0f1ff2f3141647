"""The sections on scores: distributions, length, calibration, training curves. Knows evidence; knows no HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from assay.artifacts.audit_body import LengthBin
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.plots import charts, forest
from assay.report.run.evidence import Evidence, SeedFiles
from assay.report.run.results import spoken

SCATTER_DOTS = 600
CURVE_POINTS = 160


def distribution(evidence: Evidence) -> dict[str, Any]:
    """Histograms of rewards and margins of the first seed that has scores, and the verdict on degenerate scores."""
    files = next((one for one in evidence.seeds if one.scores), None)
    degenerate = evidence.head("degenerate")
    names = EVERY_FIGURE.shown_in("score section")
    return {
        "panels": score_panels(files) if files else [],
        "seed": files.seed if files else None,
        "degenerate": degenerate,
        "sentence": degenerate_sentence(degenerate),
        "findings": [(label(name), cell(f), f) for name in names for f in [evidence.head(name)]],
    }


def degenerate_sentence(found: Finding) -> str:
    """The verdict on degenerate scores in words."""
    if found.known is None:
        return f"Whether the scores are degenerate is unknown: {found.reason}."
    problems = found.detail.get("problems") or {}
    if not problems:
        return f"No constant, tied, broken or two-valued scores were found. {found.why}"
    named = "; ".join(f"{words.spaced(name)}: {text}" for name, text in problems.items())
    return f"{words.sentence(named)} {found.why}"


def score_panels(files: SeedFiles) -> list[dict[str, Any]]:
    chosen, rejected = ([pair[side] for pair in files.scores] for side in (0, 1))
    low, high = min(chosen + rejected), max(chosen + rejected)
    if high == low:
        low, high = low - 0.5, high + 0.5
    up, down = (charts.histogram(side, low=low, high=high, bins=30) for side in (chosen, rejected))
    means = (sum(chosen) / len(chosen), sum(rejected) / len(rejected))
    gaps = [good - bad for good, bad in files.scores]
    right, wrong = (sum(test) / len(gaps) for test in ([g > 0 for g in gaps], [g < 0 for g in gaps]))
    rewards = {
        "title": "Rewards",
        "svg": charts.mirrored(up, down, names=("chosen", "rejected"), means=means),
        "caption": f"Chosen answers above the axis, rejected below; long ticks are the means "
        f"({words.reward(means[0])} and {words.reward(means[1])}).",
    }
    return [rewards, margin_panel(gaps, right=right, wrong=wrong)]


def margin_panel(gaps: Sequence[float], *, right: float, wrong: float) -> dict[str, Any]:
    """Margins as a histogram; exact zeros prefer neither answer, so they are counted in words."""
    drawn = [gap for gap in gaps if gap != 0]
    ties = len(gaps) - len(drawn)
    caption = "Pairs left of the line are ranked wrong."
    if ties:
        caption += f" {words.plural(ties, 'pair')} with a margin of exactly zero, not drawn, also count as wrong."
    return {
        "title": "Margins",
        "svg": charts.margins(zero_bins(drawn), wrong=wrong, right=right) if drawn else "",
        "caption": caption,
    }


def zero_bins(gaps: Sequence[float], count: int = 32) -> list[charts.Bin]:
    """Bins of margins, about `count`, with an edge at exactly zero and at least one bin on either side."""
    low, high = min(*gaps, 0.0), max(*gaps, 0.0)
    step = (high - low) / count or 1.0
    below, above = max(1, math.ceil(-low / step - 1e-9)), max(1, math.ceil(high / step - 1e-9))
    return charts.histogram(gaps, low=-below * step, high=above * step, bins=below + above)


def length(evidence: Evidence) -> dict[str, Any]:
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
        "figure": forest.forest(bins, label=spoken(bins)) if bins else None,
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


def length_reading(evidence: Evidence) -> list[str]:
    """What the length findings say, in sentences."""
    shorter, longer = evidence.head("accuracy_shorter_preferred"), evidence.head("accuracy_longer_preferred")
    matched, tied = evidence.head("length_matched_accuracy"), evidence.head("reward_length_correlation")
    return [
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


def calibration(evidence: Evidence) -> dict[str, Any] | None:
    """The reliability diagram, if this audit measured calibration."""
    table = evidence.tables["calibration"]
    found = [f for f in evidence.findings if f.name == "calibration_error" and f.slice == OVERALL]
    if not table and not found:
        return None
    rows = table["bins"] if table else []
    bins = [(b["stated"], b["observed"], b["n"]) for b in rows if b["stated"] is not None and b["observed"] is not None]
    heard = "; ".join(f"stated {words.percent(s)}, right {words.percent(o)}" for s, o, _ in bins)
    return {
        "svg": charts.reliability(bins, label=f"Reliability: {heard}") if bins else None,
        "reading": [calibration_reading(f) for f in found],
        "findings": [(label(f.name), cell(f), f) for f in found],
    }


def calibration_reading(found: Finding) -> str:
    """Whether the model states more than it keeps."""
    stated, right = found.detail.get("mean_stated"), found.detail.get("share_right")
    if stated is None or right is None:
        return words.sentence(f"calibration error: {inline(found)}")
    side = "more" if stated > right else "less"
    return (
        f"On average the model states {words.percent(stated)} for the answer it prefers and is right on "
        f"{words.percent(right)}: it claims {abs(100 * (stated - right)):.1f} points {side} than it keeps."
    )


def training(evidence: Evidence) -> dict[str, Any]:
    """Loss, held-out accuracy and gradient norm over steps, one curve a seed."""
    wanted = (
        ("Loss", ("loss",), False, None, "training loss, nats; dotted: guessing (ln 2)"),
        ("Held-out accuracy", ("eval_accuracy", "held_out_accuracy"), True, None, "accuracy on held-out pairs"),
        ("Training accuracy", ("accuracy",), True, None, "accuracy on training batches"),
        ("Gradient norm", ("grad_norm", "gradient_norm"), False, 0.0, "gradient norm before clipping"),
    )
    drawn = []
    for title, keys, share, floor, unit in wanted:
        lines = [
            charts.Line(f"seed {one.seed}", charts.smooth(found, CURVE_POINTS), index)
            for index, one in enumerate(evidence.seeds)
            for found in [series(one.metrics, keys)]
            if found
        ]
        if lines:
            drawn.append(
                {
                    "title": title,
                    "svg": charts.curves(
                        lines,
                        y_words=unit,
                        percent=share,
                        floor=floor,
                        reference=math.log(2) if title == "Loss" else None,
                    ),
                }
            )
    return {
        "panels": drawn,
        "seeds": [(one.seed, index % 4) for index, one in enumerate(evidence.seeds) if one.metrics],
    }


def series(metrics: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[tuple[float, float]]:
    """(step, value) of the first key each row has; rows without a finite value are left out."""
    found = []
    for row in metrics:
        value = next((row[key] for key in keys if words.known(row.get(key))), None)
        if value is not None and words.known(row.get("step")):
            found.append((float(row["step"]), float(value)))
    return found
