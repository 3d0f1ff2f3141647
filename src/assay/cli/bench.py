"""`assay bench`: any scorer on a published suite, scored as its authors score it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, ScorerArgument, TemplateOption, command_line, output

if TYPE_CHECKING:
    from assay.artifacts.bench_body import BenchBody, StandingBody

WIDTH = 34  # of names in the table
VERDICTS = {"ahead": "[green]ahead[/]", "behind": "[red]behind[/]", "not_told_apart": "[dim]not told apart[/]"}


def register(app: typer.Typer) -> None:
    app.command("bench", epilog="Example: assay bench runs/a/seed-0/model rm-bench --data rm_bench/ --out bench/rm")(
        bench
    )


def bench(
    scorer: ScorerArgument,
    suite: Annotated[
        str,
        typer.Argument(
            help="rewardbench, rewardbench2, rm-bench, judgebench, rmb, ppe-human, ppe-correctness or processbench."
        ),
    ],
    data: Annotated[
        list[str],
        typer.Option("--data", help="The suite as published: a file, a folder, or a Hugging Face id; may be repeated."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets bench.json, scores.jsonl and bench.html.")],
    split: Annotated[
        str | None,
        typer.Option(help="Split of a Hugging Face data set, in place of the published ones.", show_default=False),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="processbench: a step whose reward is below it is wrong. Without it: what is best on gsm8k."),
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Level of the intervals.")] = 0.95,
    template: TemplateOption = None,
    as_json: Json = False,
) -> None:
    """Score a published suite as its authors do, with intervals, beside longest wins, shortest wins and chance.

    Nothing is cut: an item that the scorer cannot read whole is named and counted, and the figure is shown with all of
    those wrong and all right. Whether a part is ahead of the best of the three rules is tested over all parts together
    (Holm, 5%). published:FILE takes per-item results as suites publish them; the scores.jsonl of an earlier bench
    gives the same figures again. Layouts and formulas: docs/suites.md.
    """
    from assay.flows.bench import BenchOptions
    from assay.flows.bench import bench as run

    options = BenchOptions(split=split, threshold=threshold, level=level, template=template)
    body = run(scorer, suite, data, out, options=options, command=command_line())
    output({"schema": body.SCHEMA, **body.model_dump(mode="json")}, summary(body, out), as_json=as_json)


def summary(body: BenchBody, out: Path) -> str:
    """Title, notes, the table, and what was not scored; in rich markup."""
    from rich.markup import escape

    lines = [f"[bold]{escape(body.title)}[/]  {escape(body.scorer)}, {counted(body.items)}  {escape(str(out))}"]
    lines += [f"  [yellow]not as published: {escape(note)}[/]" for note in body.notes]
    head = f"  {'':<{WIDTH}} {'value':>6}  {'interval':<14} {'n':>6}  longest shortest chance"
    lines.append(f"[dim]{head}[/]")
    lines += [line(one) for one in body.standings]
    tested = sum(one.p_holm is not None for one in body.standings)
    if tested:
        lines.append(f"  [dim]ahead, behind: of the best of the three, over {tested} parts together (Holm, 5%)[/]")
    if body.unscored:
        first = body.unscored[0]
        lines.append(
            f"  [yellow]{counted(len(body.unscored))} not scored whole and in no figure; the authors' code: "
            f"{escape(body.over_long)}. The first, {escape(first.id)}: {escape(first.why)}[/]"
        )
    return "\n".join(lines)


def counted(items: int) -> str:
    return f"{items:,} {'item' if items == 1 else 'items'}"


def line(one: StandingBody) -> str:
    """One figure and what stands beside it."""
    from rich.markup import escape

    name = escape(one.name if len(one.name) <= WIDTH else one.name[: WIDTH - 1] + "…")
    value = f"{one.value:6.3f}" if one.value is not None else "     -"
    interval = f"{one.interval.low:.3f} to {one.interval.high:.3f}" if one.interval else ""
    others = [one.others.get(rule) for rule in ("baseline:longest", "baseline:shortest", "chance")]
    beside = " ".join(f"{'-' if other is None else f'{other:.3f}':>7}" for other in others)
    text = f"  {name:<{WIDTH}} {value}  {interval:<14} {one.n:>6,}  {beside if one.kind != 'described' else '':<24}"
    words = [VERDICTS[one.verdict]] if one.verdict else []
    if one.value is None and one.reason:
        words.append(f"[dim]{escape(one.reason)}[/]")
    if one.also:
        words.append(f"[dim]{escape(one.also)}[/]")
    if one.unscored and one.if_wrong is not None and one.if_right is not None:
        words.append(f"[yellow]{one.unscored:,} unscored: {one.if_wrong:.3f} if wrong, {one.if_right:.3f} if right[/]")
    text = f"[bold]{text}[/]" if one.kind == "formula" else text
    return f"{text} {'; '.join(words)}".rstrip()
