"""Rewards and margins of the held-out pairs as histograms, and whether they are degenerate. Knows no HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assay.findings.finding import Finding
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.report.finding_text import cell, label
from assay.report.plots import charts
from assay.report.run.reported_run import ReportedRun, SeedFiles


def distribution(evidence: ReportedRun) -> dict[str, object]:
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


def score_panels(files: SeedFiles) -> list[dict[str, object]]:
    chosen, rejected = ([pair[side] for pair in files.scores] for side in (0, 1))
    low, high = min(chosen + rejected), max(chosen + rejected)
    # Rewards that are all the same still get a bar.
    if high == low:
        low, high = low - 0.5, high + 0.5
    up, down = (charts.histogram(side, low=low, high=high, bins=30) for side in (chosen, rejected))
    means = (sum(chosen) / len(chosen), sum(rejected) / len(rejected))
    gaps = [good - bad for good, bad in files.scores]
    right, wrong = (sum(test) / len(gaps) for test in ([g > 0 for g in gaps], [g < 0 for g in gaps]))
    rewards: dict[str, object] = {
        "title": "Rewards",
        "svg": charts.mirrored(up, down, names=("chosen", "rejected"), means=means),
        "caption": f"Chosen answers above the axis, rejected below; long ticks are the means "
        f"({words.reward(means[0])} and {words.reward(means[1])}).",
    }
    return [rewards, margin_panel(gaps, right=right, wrong=wrong)]


def margin_panel(gaps: Sequence[float], *, right: float, wrong: float) -> dict[str, object]:
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
