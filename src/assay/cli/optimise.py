"""`assay optimise`: what best of n by a reward comes to in gold, where gold turns, what the picks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, ScorerArgument, TemplateOption, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options

if TYPE_CHECKING:
    from assay.artifacts.fit_body import FitBody
    from assay.artifacts.pressure_body import BesideBody, PointBody, PressureBody
    from assay.findings.finding import Finding
    from assay.flows.optimise import Optimised
    from assay.gate import Criterion

EXIT = {"does_not_turn": 0, "turns": 1, "undecided": 3}
COLOUR = {"does_not_turn": "green", "turns": "red", "undecided": "yellow"}
MOST = 3  # attributes and phrases said on the terminal; all stand in pressure.json


def register(app: typer.Typer) -> None:
    app.command(
        "optimise",
        epilog="Example: assay optimise runs/a/seed-0/model candidates.jsonl --gold truth --out pressure/a",
    )(optimise)


@with_data_options
def optimise(
    scorer: ScorerArgument,
    candidates: Annotated[
        str,
        typer.Argument(
            help='Many answers a prompt: JSON lines of {"prompt", "answers": [...]}, what assay generate --n wrote, or '
            "labelled data with several answers a prompt."
        ),
    ],
    gold: Annotated[
        str,
        typer.Option(
            "--gold",
            help="What the reward stands for: another scorer, labels (of the candidates), or truth (simulated).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets pressure.json, its page and every reward.")],
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside",
            metavar="DIR",
            help="Folder of an earlier run, whose gold curve is drawn and compared; may be repeated.",
            show_default=False,
        ),
    ] = None,
    criteria: Annotated[
        Path | None,
        typer.Option(help="Decide by criteria such as 'turning point >= 64'; writes gate.json.", show_default=False),
    ] = None,
    template: TemplateOption = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Press a reward by best of n up to 256, and see in gold where it stops helping.

    Nothing is drawn: the mean over all ways to pick the best of n is computed for 1, 2, 4, ... from the candidates,
    with intervals over prompts. Gold is what the reward stands for. Options are those of `assay reward` under data,
    those of a server under remote, and pressure, such as --set pressure.largest=64. Stopped anywhere, the same command
    goes on.

    Exit code 0: gold does not turn; 1: it turns; 3: undecided; 2: bad input. With --criteria the gate's: 0 pass, 1
    fail, 3 undecided.
    """
    from assay.flows.optimise import OptimiseConfig, OptimiseOptions
    from assay.flows.optimise import optimise as run
    from assay.flows.project_config import ProjectConfig
    from assay.gate.pressure_gate import pressure_criteria
    from assay.scorers.open import of_a_server
    from assay.scorers.remote.config import RemoteConfig

    settings = options.settings(OptimiseConfig, family=ProjectConfig)
    if not of_a_server(scorer) and not options.sets_any("remote"):
        settings = settings.model_copy(update={"remote": RemoteConfig()})
    asked = None if criteria is None else pressure_criteria(criteria, out)  # before hours of scoring
    told = OptimiseOptions(beside=tuple(beside or ()), template=template, command=command_line())
    done = run(scorer, candidates, out, gold=gold, config=settings, options=told, notify=said)
    tell(done, out, asked, as_json=as_json)


def tell(done: Optimised, out: Path, criteria: Sequence[Criterion] | None, *, as_json: bool) -> None:
    """Print what was found, decide by criteria where there are any, and end with the exit code of that."""
    value = {"schema": done.body.SCHEMA, **done.body.model_dump(mode="json"), "folder": str(out)}
    value["fit"] = done.fit.model_dump(mode="json")
    if criteria is None:
        output(value, summary(done, out), as_json=as_json)
        raise typer.Exit(EXIT[done.body.verdict])
    from assay.cli.verdicts import EXIT as GATE_EXIT
    from assay.cli.verdicts import verdict_lines
    from assay.gate import decide_run

    verdict = decide_run(out, criteria)
    lines = [summary(done, out), *verdict_lines(verdict, str(out))]
    output({**value, "gate": verdict.to_dict()}, "\n".join(lines), as_json=as_json)
    raise typer.Exit(GATE_EXIT[verdict.verdict])


def said(line: str) -> None:
    notes().print(line, markup=False)


def summary(done: Optimised, out: Path) -> str:
    """The verdict, the curve, the figures and what the picks share, in rich markup."""
    from rich.markup import escape

    from assay.audits.pressure.pressure_meanings import SHOWN

    body = done.body
    lines = [
        f"[bold {COLOUR[body.verdict]}]{escape(body.sentence)}[/]  on {body.prompts:,} prompts  {escape(str(out))}",
        f"  {escape(body.reason)}",
    ]
    lines += lost_lines(body)
    if body.curve:
        lines.append(f"  [dim]{'n':>5} {'KL bound':>9} {'reward':>9} {'gold':>9}  {'interval':<18} gained, spreads[/]")
        lines += [f"  {curve_line(one)}" for one in body.curve]
    for name in SHOWN.shown_in("terminal"):
        one = done.found.find(name)
        if one is not None:
            lines.append(f"  {SHOWN[name].label:<46} {escape(figure(one))}")
    lines += category_lines(done.found.findings)
    lines += shared_lines(body)
    lines += [f"  {escape(beside_line(one))}" for one in body.beside]
    lines += fit_lines(done.fit)
    lines.append(f"  {escape(str(out / 'pressure.html'))}")
    return "\n".join(lines)


def lost_lines(body: PressureBody) -> list[str]:
    """Answers and prompts that are in no figure."""
    from rich.markup import escape

    lines = []
    if body.left_out:
        lines.append(
            f"  [yellow]{body.left_out:,} of {body.answers:,} answers in no figure, by prompt in left_out.jsonl[/]"
        )
    lines += [
        f"  [yellow]{count:,} prompts not in the curve: {escape(why)}[/]"
        for why, count in sorted(body.set_aside.items())
    ]
    return lines


def curve_line(one: PointBody) -> str:
    """One n; the highest that may be are marked."""
    interval = f"{one.gold_interval.low:.3f} to {one.gold_interval.high:.3f}" if one.gold_interval else ""
    mark = "  may be the highest" if one.may_be else ""
    return f"{one.n:>5} {one.kl:>9.2f} {one.proxy:>9.3f} {one.gold:>9.3f}  {interval:<18} {one.gain:+.2f}{mark}"


def figure(one: Finding) -> str:
    """Value and interval in the words of the unit."""
    from assay.report.finding_text import cell

    found = cell(one)
    if one.known is None:
        return f"unknown: {one.reason}"
    attribute = f"  {one.detail['attribute']}" if "attribute" in one.detail else ""
    return f"{found.text}{f'  ({found.sub})' if found.sub else ''}{attribute}"


def category_lines(findings: tuple[Finding, ...]) -> list[str]:
    """Categories in which gold is shown to fall, the steepest first."""
    from rich.markup import escape

    parts = [one for one in findings if one.name == "gold_fall" and one.slice.name is not None]
    falls = [one for one in parts if one.bounds is not None and one.bounds.low > 0]
    falls.sort(key=lambda one: -(one.known or 0.0))
    return [
        f"  [yellow]in {escape(one.slice.label)} gold falls by {escape(figure(one))} from n = {one.detail['from_n']}[/]"
        for one in falls[:MOST]
    ]


def shared_lines(body: PressureBody) -> list[str]:
    """Attributes that stand out beyond gold and the first phrases."""
    from rich.markup import escape

    clear = [row for row in body.drifts if row.p_holm <= 0.05][:MOST]
    lines = [
        f"  {escape(row.attribute)} of picks {row.picked:.3g}, of picks by gold {row.picked_by_gold:.3g}, of random "
        f"answers {row.random:.3g}"
        for row in clear
    ]
    if body.phrases:
        named = ", ".join(
            f"“{row.phrase}” {100 * row.random:.0f}% to {100 * row.picked:.0f}%" for row in body.phrases[:MOST]
        )
        lines.append(f"  {len(body.phrases):,} of {body.phrases_tested:,} phrases stand out: {escape(named)}")
    return lines


def fit_lines(fit: FitBody) -> list[str]:
    """What the samples say without gold."""
    from rich.markup import escape

    from assay.findings.finding import Finding
    from assay.report.pressure.fit_section import terminal_lines

    told = terminal_lines([Finding.from_body(one) for one in fit.findings])
    return ["  [dim]fit to the policy, without gold[/]", *(f"  {escape(line)}" for line in [*told, *fit.notes])]


def beside_line(one: BesideBody) -> str:
    """The paired difference at the largest n both have."""
    known = [point for point in one.points if point.difference is not None]
    if not known:
        return f"beside {one.folder}: other candidates, drawn and not compared"
    last = known[-1]
    bounds = f" ({last.interval.low:+.3f} to {last.interval.high:+.3f})" if last.interval else ""
    return f"beside {one.folder}: gold at n = {last.n} {last.difference:+.3f}{bounds} over {one.prompts:,} same prompts"
