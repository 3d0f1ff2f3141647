"""`assay compare`: two scorers on the same pairs, which is better, and where they part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, command_line, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import rests_on_lines

if TYPE_CHECKING:
    from assay.artifacts.compare_body import JudgeCostBody
    from assay.findings.finding import Finding
    from assay.flows.compare import ScorerComparison

EXIT = {"A": 0, "B": 1, "undecided": 3}
COLOUR = {"A": "green", "B": "red", "undecided": "yellow"}
TEMPLATE = "Chat template of {}, a model that was published without one: a file of jinja, or plain."
MOST_SLICES = 5  # said on the terminal; all stand in compare.json


def register(app: typer.Typer) -> None:
    app.command("compare", epilog="Example: assay compare runs/new runs/old pairs.jsonl --out compared")(compare)


@with_data_options
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A scorer: model, run folder, score file, or kind:argument.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The scorer it is held against.")],
    data: Annotated[str, typer.Argument(help="Labelled pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder that gets compare.json, compare.html and differences.jsonl.")
    ],
    template_a: Annotated[
        str | None,
        typer.Option("--template-a", metavar="FILE|plain", help=TEMPLATE.format("A"), show_default=False),
    ] = None,
    template_b: Annotated[
        str | None,
        typer.Option("--template-b", metavar="FILE|plain", help=TEMPLATE.format("B"), show_default=False),
    ] = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Compare two scorers on the same pairs: the paired difference in accuracy with its interval, overall and by part.

    Of a run folder every seed takes part, and what other seeds would have given is in the interval. The pairs on which
    the two part most, worth a label most, go to differences.jsonl. Options are those of `assay reward` under data, and
    compare, such as --set compare.level=0.9.

    Exit code 0: A is better; 1: B is better; 3: undecided; 2: bad input.
    """
    from assay.flows.compare import CompareOptions, ScorerCompareConfig, compare_scorers
    from assay.flows.project_config import ProjectConfig

    settings = options.settings(ScorerCompareConfig, family=ProjectConfig)
    told = CompareOptions(template_a=template_a, template_b=template_b, command=command_line())
    found = compare_scorers(a, b, data, out, config=settings, options=told)
    output({**found.body.model_dump(mode="json"), "folder": str(out)}, summary(found, out), as_json=as_json)
    raise typer.Exit(EXIT[found.body.verdict])


def summary(told: ScorerComparison, out: Path) -> str:
    """The verdict, what it rests on, the figures and the parts that stand out, in rich markup."""
    from rich.markup import escape

    from assay.audits.compare.compare_meanings import MEANINGS
    from assay.flows.compare import DIFFERENCES

    body, found = told.body, told.comparison
    lines = [
        f"[bold {COLOUR[body.verdict]}]{escape(body.sentence)}[/]  on {body.pairs:,} pairs  {escape(str(out))}",
        f"  A  {escape(side(body.a.name, len(body.a.fingerprints)))}",
        f"  B  {escape(side(body.b.name, len(body.b.fingerprints)))}",
        f"  {escape(body.reason)}",
        *cost_lines(body.a.cost, body.b.cost),
        *more_lines(body.more_pairs, body.smallest_seen if body.verdict == "undecided" else None),
        *rests_on_lines(body.rests_on),
    ]
    if body.shared and body.a.fingerprints != body.b.fingerprints:
        lines.append(f"  [yellow]{len(body.shared)} scorers stand on both sides, by their fingerprints[/]")
    if body.left_out:
        lines.append(f"  [yellow]{body.left_out:,} pairs left out of both, since one side could not read them[/]")
    for name, words in MEANINGS.shown_in("terminal").items():
        if (one := found.find(name)) is not None:
            lines.append(f"  {words:<22} {escape(figure(one))}")
    lines += slice_lines(found.findings, found.standing_out)
    parted = sum(row["prefer_other"] for row in found.differences)
    if found.differences:
        lines.append(
            f"  {len(found.differences):,} pairs on which they part most, {parted:,} with other preferences: "
            f"{escape(str(out / DIFFERENCES))}"
        )
    return "\n".join(lines)


def more_lines(more: int | None, seen: float | None) -> list[str]:
    """What would decide, and what these pairs could have shown."""
    from assay.report.words import rounded

    lines = []
    if more is not None:
        lines.append(
            f"  about {rounded(more)} more pairs decide in 4 of 5 cases, if the difference is what it looks like"
        )
    if seen is not None:
        lines.append(f"  these pairs show a true difference of {100 * seen:.1f} points in 4 of 5 comparisons")
    return lines


def cost_lines(a: JudgeCostBody | None, b: JudgeCostBody | None) -> list[str]:
    """What each side's judges took; and, first, that the two took other numbers of calls."""
    from assay.audits.compare.judge_cost import unequal_calls
    from assay.report.compare.cost_words import cost_words

    lines = [f"  {letter}: {cost_words(one)}" for letter, one in (("A", a), ("B", b)) if one is not None]
    unequal = unequal_calls(a, b)
    return [f"  [yellow]{unequal}[/]", *lines] if unequal else lines


def side(name: str, seeds: int) -> str:
    return f"{name} ({seeds} seeds)" if seeds > 1 else name


def figure(one: Finding) -> str:
    """Value and interval; differences in points, with the pairs on which only one is right."""
    from assay.audits.compare.decision import points, span
    from assay.findings.number_text import number_text

    if one.known is None:
        return f"unknown: {one.reason}"
    if one.unit == "share difference":
        interval = f"  ({span(one.bounds)})" if one.bounds else ""
        only = f"only A right {one.detail['a_only']:,}, only B {one.detail['b_only']:,}"
        return f"{points(one.known)} points{interval}  {only}, McNemar p {p_text(one.detail['mcnemar_p'])}"
    interval = f"  ({one.bounds.low:.3f} to {one.bounds.high:.3f})" if one.bounds else ""
    return f"{number_text(one.known, '.3f')}{interval}"


def p_text(p: float) -> str:
    """Two digits; one too small for a float to tell is not called 0."""
    return f"{p:.2g}" if p >= 1e-12 else "< 1e-12"


def slice_lines(findings: tuple[Finding, ...], clear: tuple[Finding, ...]) -> list[str]:
    """Parts of the data on which the difference is clear with all parts looked at, and how many were."""
    from rich.markup import escape

    parts = [one for one in findings if one.name == "accuracy_difference" and one.slice.name is not None]
    if not parts:
        return []
    lines = [f"  of {len(parts)} parts of the data {len(clear)} differ clearly (Holm over all of them)"]
    lines += [f"    {escape(str(one.slice)):<34} {escape(figure(one))}" for one in clear[:MOST_SLICES]]
    return lines
