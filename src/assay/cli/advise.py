"""`assay advise`: an explicit reward model or DPO first, by reasons; of two finished runs, by a comparison."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.advice.reward_or_dpo import USES, Advice, Choice, Compute, Needs, Side, YesNo, advise
from assay.cli.options import Json, command_line, output
from assay.errors import ConfigError

if TYPE_CHECKING:
    from assay.flows.compare import ScorerComparison

UNDECIDED = 3
NAMES: dict[Choice, str] = {"reward": "an explicit reward model", "dpo": "DPO", "both": "both"}
SIDES: dict[Side, str] = {"reward": "For an explicit reward", "dpo": "For DPO"}
EXAMPLE = "Example: assay advise --use tune --use rerank --pairs 2500 --votes 3 --judges yes"


def register(app: typer.Typer) -> None:
    app.command("advise", epilog=EXAMPLE)(advise_command)


def advise_command(
    use: Annotated[
        list[str] | None,
        typer.Option("--use", help=f"What the preference is for; may be repeated: {', '.join(USES)}."),
    ] = None,
    pairs: Annotated[int | None, typer.Option(help="Labelled pairs at hand.")] = None,
    votes: Annotated[float | None, typer.Option(help="Votes a pair, on average.")] = None,
    own_answers: Annotated[
        YesNo | None, typer.Option("--own-answers", help="Whether the answers are of the model to be tuned.")
    ] = None,
    objectives: Annotated[int | None, typer.Option(help="Objectives that are labelled apart.")] = None,
    compute: Annotated[
        Compute | None, typer.Option(help="small: a CPU or small GPU; one: one large GPU; several.")
    ] = None,
    judges: Annotated[YesNo | None, typer.Option(help="Whether people can judge fresh answers blind.")] = None,
    reward: Annotated[
        Path | None, typer.Option(help="A finished run of assay reward, to be compared with --dpo.")
    ] = None,
    dpo: Annotated[Path | None, typer.Option(help="A finished run of assay dpo on the same data.")] = None,
    data: Annotated[str | None, typer.Option(help="The data of both runs, where they were moved.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder that gets the comparison of the two runs.")] = None,
    as_json: Json = False,
) -> None:
    """An explicit reward model or DPO first: a choice with its reasons each way, and what would change it.

    On a terminal, what no option says is asked. Given two finished runs, the explicit head and the policy's implicit
    reward are compared on the pairs that both held out, as `assay compare` does: exit code 0 decided, 3 undecided.
    """
    if reward is not None or dpo is not None or out is not None or data is not None:
        if reward is None or dpo is None or out is None:
            raise ConfigError("A comparison takes --reward RUN, --dpo RUN and --out FOLDER, all three.")
        if use or any(one is not None for one in (pairs, votes, own_answers, objectives, compute, judges)):
            raise ConfigError("Two finished runs are compared by their scores: leave --use and the other needs out.")
        found = compared(reward, dpo, out, data)
        output({**found.body.model_dump(mode="json"), "folder": str(out)}, runs_text(found, out), as_json=as_json)
        raise typer.Exit(UNDECIDED if found.body.verdict == "undecided" else 0)
    needs = Needs(
        uses=tuple(use or ()),  # type: ignore[arg-type]  # Needs refuses what is no use
        pairs=pairs, votes=votes, own_answers=own_answers, objectives=objectives, compute=compute, judges=judges,
    )  # fmt: skip
    if not needs.uses and sys.stdin.isatty() and not as_json:
        needs = asked(needs)
    told = advise(needs)
    output({"needs": asdict(needs), **asdict(told)}, text(told), as_json=as_json)


def asked(needs: Needs) -> Needs:
    """The needs that options left open, by questions; Enter leaves one unsaid. Raises ConfigError at end of input."""
    say("What is the preference for?")
    for use, said in USES.items():
        say(f"  {use:<8} {said}")
    found: dict[str, object] = {
        "uses": one_answer("uses", "One or more, with commas between [tune]", some) or ("tune",)
    }
    for name, question, read in QUESTIONS:
        if getattr(needs, name) is None:
            value = one_answer(name, f"{question} Enter: not known", read)
            if value is not None:
                found[name] = value
    return replace(needs, **found)  # type: ignore[arg-type]


def one_answer(name: str, question: str, read: Callable[[str], object]) -> object | None:
    """What was typed, as the need takes it; None for Enter. A wrong answer is told and asked for again, at once: after
    all the questions it would cost the right ones too."""
    while True:
        # To stderr, so that the questions are seen where the advice goes to a file. Not typer's prompt, which makes the
        # same exit of an interruption and of an end of input.
        sys.stderr.write(f"{question}: ")
        sys.stderr.flush()
        try:
            said = input().strip()
        except EOFError:
            say("")
            raise ConfigError(
                "The input ended before all questions were answered. Answer by options: --use, --pairs, --votes, "
                "--own-answers, --objectives, --compute, --judges."
            ) from None
        if not said:
            return None
        try:
            value = read(said)
            Needs(**{name: value})  # type: ignore[arg-type]
        except ConfigError as error:
            say(f"  {error}")
        except ValueError:
            say(f"  {said!r} is no answer to that.")
        else:
            return value


def say(line: str) -> None:
    typer.echo(line, err=True)


def some(said: str) -> tuple[str, ...]:
    return tuple(said.replace(",", " ").split())


def yes_no(said: str) -> YesNo:
    known: dict[str, YesNo] = {"y": "yes", "yes": "yes", "n": "no", "no": "no"}
    if said.lower() not in known:
        raise ValueError(said)
    return known[said.lower()]


def size(said: str) -> Compute:
    known: dict[str, Compute] = {"small": "small", "one": "one", "several": "several"}
    if said.lower() not in known:
        raise ValueError(said)
    return known[said.lower()]


QUESTIONS: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("pairs", "How many labelled pairs?", int),
    ("votes", "How many votes a pair?", float),
    ("own_answers", "Are the answers of the model to be tuned (yes, no)?", yes_no),
    ("objectives", "How many objectives are labelled apart?", int),
    ("judges", "Can people judge fresh answers blind (yes, no)?", yes_no),
    ("compute", "What is there to run on (small, one, several)?", size),
)


def text(told: Advice) -> str:
    """The advice in rich markup: the choice, reasons each way with sources, what would turn it, commands."""
    from rich.markup import escape

    lines = [f"[bold green]{escape(told.sentence)}[/]"]
    for side, said in SIDES.items():
        reasons = [one for one in told.reasons if one.leans == side]
        lines.append(f"[bold]{said}[/]" if reasons else f"[bold]{said}[/]: nothing that was said")
        lines += [f"  {'+' * one.weight:<3} {escape(one.text)} [dim]({escape(one.source)})[/]" for one in reasons]
    lines += [f"[yellow]Mind:[/] {escape(one)}" for one in told.cautions]
    if told.turns:
        lines.append("[bold]What would change this[/]")
        lines += [f"  {escape(said)}: {NAMES[other]}" for said, other in told.turns]
    lines.append("[bold]Next[/]")
    lines += [f"  {escape(command)}" for command in told.commands]
    return "\n".join(lines)


def compared(reward: Path, dpo: Path, out: Path, data: str | None) -> ScorerComparison:
    from assay.flows.advise import compare_runs

    return compare_runs(reward, dpo, out, source=data, command=command_line())


def runs_text(found: ScorerComparison, out: Path) -> str:
    """Which reward is better, the comparison's own lines, and what they do not say."""
    from assay.cli.compare import summary

    first = {
        "A": "[bold green]As a score, the explicit reward model is better.[/]",
        "B": "[bold green]As a score, the policy's implicit reward is better.[/]",
        "undecided": "[bold yellow]These pairs do not tell which reward is better.[/]",
    }[found.body.verdict]
    last = "  Whether the tuned policy writes better is another question: its blind study answers that."
    return "\n".join([first, summary(found, out), last])
