"""The page of a combination as one HTML file: its objectives, what it gives up, and the trade-off curves.

Knows the file of `combined:FILE.yaml`; computes no figure.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.report import words
from assay.report.html import html_environment, inlined_styles
from assay.report.plots.charts import Line
from assay.report.plots.trade_offs import trade_off_plot
from assay.scorers.combined.combination_file import Combination, MeasuredObjective, ObjectivePart, TradeOff
from assay.version import __version__

RULES = {
    "weights": "The standardised rewards, weighed and added up.",
    "lexicographic": "One objective after another: the next decides where the one before is within its tolerance.",
    "constrained": "One objective, among answers that break no constraint on the others; those that do stand below.",
}
MOVED = {
    "weight": "share of the weight that {} has",
    "tolerance": "tolerance of {}",
    "threshold": "threshold of {}",
}


def render_combine(combination: Combination, path: Path, *, file: str) -> Path:
    """Write the page; the same combination gives the same bytes. file: where the combination stands."""
    template = html_environment().get_template("combine.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(combination, file))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def context(combination: Combination, file: str) -> dict[str, object]:
    names = [one.name for one in combination.objectives]
    return {
        "version": __version__,
        "file": file,
        "body": combination,
        "rule": RULES[combination.rule],
        "objectives": [objective(one, combination) for one in combination.objectives],
        "measured": [measured(one) for one in combination.measured],
        "curves": [curve(one, names) for one in combination.trade_offs if len(one.points) > 1],
        "swatches": [(f"seed{k % 4}", name) for k, name in enumerate(names)],
        "files": [(f"{one.path} ({one.use}, {words.count(one.pairs)} pairs)", one.sha256) for one in combination.files],
    }


def objective(one: ObjectivePart, combination: Combination) -> dict[str, str]:
    """One objective and what the rule holds of it, in words."""
    return {
        "name": one.name,
        "scorer": one.scorer,
        "pairs": "" if one.pairs is None else words.count(one.pairs),
        "scale": f"mean {one.mean:.3g}, standard deviation {one.sd:.3g}",
        "says": said_of(one, combination),
    }


def said_of(one: ObjectivePart, combination: Combination) -> str:
    """What the rule holds of an objective: its weight, its tolerance, or its constraint."""
    if combination.rule == "weights":
        error = "" if one.weight_error is None else f" ± {one.weight_error:.2g}"
        return f"weight {one.weight or 0:.3g}{error}"
    if combination.rule == "lexicographic":
        return "decides last" if one.tolerance is None else f"equal within {one.tolerance:g}"
    if one.name == combination.maximise:
        return "maximised"
    if one.bound is None:
        return f"above {one.threshold:g}" if one.threshold is not None else ""
    price = "" if one.dual is None else f"; dual weight {one.dual:.3g}"
    return f"above {one.threshold:g}: a reward of {one.bound:.2f} or more{price}"


def measured(one: MeasuredObjective) -> dict[str, str]:
    return {
        "name": one.objective,
        "pairs": words.count(one.pairs),
        "alone": words.percent(one.alone),
        "alone_span": span(one.alone_interval),
        "combined": words.percent(one.combined),
        "combined_span": span(one.combined_interval),
    }


def span(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "no interval"
    return f"{words.number(100 * interval[0], 1)} to {words.percent(interval[1])}"


def curve(one: TradeOff, names: list[str]) -> dict[str, object]:
    lines = [
        Line(name, tuple((point.at, point.accuracy[name]) for point in one.points), k) for k, name in enumerate(names)
    ]
    x_words = MOVED[one.moved].format(one.objective)
    return {
        "title": x_words[0].upper() + x_words[1:],
        "plot": trade_off_plot(lines, x_words=x_words, stands_at=one.stands_at),
        "rows": [
            [words.number(point.at, 2), *(words.percent(point.accuracy[name]) for name in names)]
            + ([] if point.met is None else [words.percent(point.met)])
            for point in one.points
        ],
        "heads": [x_words, *names] + ([] if one.points[0].met is None else ["answers that break no constraint"]),
    }
