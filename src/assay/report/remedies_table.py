"""remedies.md: the table of remedies for people, each figure with what it is more than without. Computes nothing."""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.remedies_body import RemediesBody, RemedyFigure, RemedyRow
from assay.report import words

FIGURES = {
    "accuracy": "Accuracy",
    "length_matched_accuracy": "Of equal length",
    "accuracy_shorter_preferred": "Shorter preferred",
}


def write_table(body: RemediesBody, path: Path) -> None:
    with atomic_write(path) as stream:
        stream.write(table(body).encode())


def table(body: RemediesBody) -> str:
    """The whole page in Markdown."""
    seeds = words.listing([str(one) for one in body.seeds])
    probes = sorted({name for row in body.rows for name in row.probes})
    counts = body.rows[0].figures if body.rows else {}
    titles = [f"{title} (n {words.count(counts[name].n) if name in counts else 0})" for name, title in FIGURES.items()]
    heads = ["Remedy", *titles, *(f"Probe {name.replace('_', ' ')}" for name in probes), "Training", "Passes"]
    lines = [
        "# Remedies",
        "",
        f"{words.visible(body.data)}, base {words.visible(body.base)}, seeds {seeds}, {words.count(body.held_out)} "
        "held-out pairs. In brackets: what a figure is more than without a remedy, on the same pairs, in points, with "
        f"the interval at {100 * body.level:g}% over prompt groups and seeds. Probes: how often the reward did what it "
        "must not. Training: seconds of all seeds. Passes: models run for one reward.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(cells(row, probes))} |" for row in body.rows),
    ]
    not_made = [f"- {row.name.replace('_', ' ')}: {words.visible(row.why_not)}" for row in body.rows if row.why_not]
    if not_made:
        lines += ["", "Not made:", "", *not_made]
    return "\n".join([*lines, "", f"Command: `{words.visible(body.command)}`; assay {body.assay_version}.", ""])


def cells(row: RemedyRow, probes: list[str]) -> list[str]:
    """A row of the table; what was not made has no figure, and says so."""
    name = row.name.replace("_", " ")
    if row.why_not is not None:
        return [name, "not made", *("" for _ in range(len(FIGURES) + len(probes) + 1))]
    figures = [figure_text(row.figures.get(one)) for one in FIGURES]
    rates = [words.percent(row.probes[one]) if one in row.probes else "" for one in probes]
    seconds = "" if row.seconds is None else f"{row.seconds:.0f} s"
    return [name, *figures, *rates, seconds, "" if row.passes is None else str(row.passes)]


def figure_text(figure: RemedyFigure | None) -> str:
    if figure is None:
        return "no such pair"
    text = words.percent(figure.value)
    if figure.more is None:
        return text
    span = figure.more_interval
    inside = "" if span is None else f"; {100 * span.low:+.1f} to {100 * span.high:+.1f}"
    return f"{text} ({100 * figure.more:+.1f}{inside})"
