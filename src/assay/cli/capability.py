"""`assay capability`: what a language model can do on multiple-choice questions, and whether it lost any of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, command_line, notes, output

if TYPE_CHECKING:
    from assay.artifacts.capability_body import CapabilityBody, WayBody
    from assay.capability.config import CapabilityConfig

EXIT = {"within": 0, "alone": 0, "worse": 1, "underpowered": 3, "at_chance": 3}
COLOUR = {"within": "green", "alone": "green", "worse": "red", "underpowered": "yellow", "at_chance": "yellow"}
WORDS = {
    "within": "[green]within[/]",
    "worse": "[red]worse[/]",
    "underpowered": "[yellow]not decided[/]",
    "at_chance": "[yellow]at chance[/]",
    "alone": "[green]above guessing[/]",
}


def register(app: typer.Typer) -> None:
    app.command(
        "capability",
        epilog="Example: assay capability runs/dpo/policy --against smollm2 --data mmlu/ --out capability",
    )(capability)


def capability(
    model: Annotated[str, typer.Argument(help="A language model: a folder, catalogue name, hub id, or LoRA adapters.")],
    data: Annotated[
        Path, typer.Option("--data", help="Questions: a folder with test/ and dev/ as MMLU's, a folder, or a file.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets capability.json, its page and all answers.")],
    against: Annotated[
        str | None, typer.Option("--against", help="The model it came from.", show_default=False)
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="letter or text (cloze); may be repeated. Unset: both.", show_default=False),
    ] = None,
    shots: Annotated[int, typer.Option(help="Solved questions before each, from dev/.")] = 5,
    shots_from: Annotated[
        Path | None, typer.Option("--shots-from", help="Where solved questions are, if not dev/.", show_default=False)
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="Only this subject; may be repeated.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="The first so many questions of each subject.", show_default=False)
    ] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Ask through the model's chat template.")] = False,
    margin: Annotated[float, typer.Option(help="The drop that is let pass, a share.")] = 0.02,
    criteria: Annotated[
        Path | None,
        typer.Option(help="Decide by criteria such as 'capability drop < 0.02'; writes gate.json.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a language model multiple-choice questions, as lm-evaluation-harness does, and hold it against another.

    The drop is paired by question, with a one-sided 95% bound in which subjects vary too. A model before that does no
    better than guessing decides nothing, and the report says so. Stopped anywhere, the same command goes on.

    Exit code 0: within the margin (or, alone, above guessing); 1: worse; 3: not decided, or at chance; 2: bad input.
    With --criteria the gate's: 0 pass, 1 fail, 3 undecided.
    """
    from assay.flows.capability import capability as run

    config = {
        "by": tuple(by or ("letter", "text")), "shots": shots, "shots_from": shots_from,
        "subjects": tuple(subject or ()), "limit": limit, "chat": chat, "margin": margin,
    }  # fmt: skip
    body = run(model, data, out, against=against, config=settings(config), notify=said, command=command_line())
    told(body, out, criteria, as_json=as_json)


def settings(values: dict[str, object]) -> CapabilityConfig:
    from assay.capability.config import CapabilityConfig as Config

    return Config.build(values)


def said(line: str) -> None:
    notes().print(line, markup=False)


def told(body: CapabilityBody, out: Path, criteria: Path | None, *, as_json: bool) -> None:
    """Print the outcome, decide by criteria where there are any, and end with the exit code of that."""
    value = {"schema": body.SCHEMA, **body.model_dump(mode="json"), "folder": str(out)}
    if criteria is None:
        output(value, summary(body, out), as_json=as_json)
        raise typer.Exit(EXIT[body.outcome])
    from assay.cli.verdicts import EXIT as GATE_EXIT
    from assay.cli.verdicts import verdict_lines
    from assay.flows.capability import decide_capability

    verdict = decide_capability(out, criteria)
    lines = [summary(body, out), *verdict_lines(verdict, str(out))]
    output({**value, "gate": verdict.to_dict()}, "\n".join(lines), as_json=as_json)
    raise typer.Exit(GATE_EXIT[verdict.verdict])


def summary(body: CapabilityBody, out: Path) -> str:
    """The answer, then a line a way of asking, in rich markup."""
    from rich.markup import escape

    lines = [f"[bold {COLOUR[body.outcome]}]{escape(body.sentence)}[/]", f"  {escape(str(out / 'capability.html'))}"]
    lines += [f"  [yellow]{escape(note)}[/]" for note in body.notes]
    two = body.against is not None
    head = f"{'asked':<16} {'questions':>9} {'before':>7} {'after':>7} {'guessing':>9} {'drop':>6}  bounds"
    alone = f"{'asked':<16} {'questions':>9} {'right':>7} {'guessing':>9}"
    lines.append(f"  [dim]{head if two else alone}[/]")
    lines += [f"  {way_line(way, two=two)}" for way in body.ways]
    return "\n".join(lines)


def way_line(way: WayBody, *, two: bool) -> str:
    """One way of asking: shares, guessing, the drop with its bounds, what changed, and the outcome."""
    from assay.capability.lost_ability import points

    name = f"{way.asked}{' *' if way.rests else ''}"
    text = f"{name:<16} {way.n:>9,}"
    if way.after is None:
        return f"{text}  {way.reason}"
    if two:
        text += f" {share(way.before):>7}"
    text += f" {share(way.after):>7} {share(way.guess):>9}"
    if two and way.drop is not None:
        bounds = f"{points(way.bounds.low)} to {points(way.bounds.high)}" if way.bounds else "none"
        p = f"p {way.mcnemar_p:.2g}" if way.mcnemar_p is not None else ""
        text += f" {points(way.drop):>6}  {bounds}  {way.lost:,} lost, {way.gained:,} gained, McNemar {p}"
    return f"{text}  {WORDS[way.outcome]}"


def share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"
