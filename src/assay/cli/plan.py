"""`assay plan`: how many held-out pairs, prompts and votes criteria need, before the labels are bought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, output

if TYPE_CHECKING:
    from assay.gate.criteria_needs import Hope, Need, Plan


def register(app: typer.Typer) -> None:
    app.command("plan", epilog="Example: assay plan --accuracy 0.78 --categories 5 --pairs 1000")(plan)


def plan(
    criteria: Annotated[
        Path | None, typer.Option("--criteria", metavar="FILE", help="YAML file of criteria; unset: the built-in set.")
    ] = None,
    accuracy: Annotated[
        float | None, typer.Option(help="True accuracy hoped for, overall and in each category.")
    ] = None,
    categories: Annotated[int, typer.Option(min=0, help="How many categories, equal in size.")] = 0,
    category: Annotated[
        list[str] | None, typer.Option("--category", metavar="NAME=SHARE", help="A category's own hoped accuracy.")
    ] = None,
    pairs: Annotated[int | None, typer.Option(min=2, help="Held-out pairs whose chance is told.")] = None,
    pairs_per_prompt: Annotated[float, typer.Option(min=1, help="Held-out pairs that share a prompt.")] = 1.0,
    icc: Annotated[float, typer.Option(min=0, max=1, help="How alike pairs of one prompt are right or wrong.")] = 0.2,
    longest: Annotated[float, typer.Option(min=0, max=1, help="What `longest answer wins` reaches.")] = 0.5,
    win_rate: Annotated[float | None, typer.Option(help="True win rate hoped for in a study.")] = None,
    prompts: Annotated[int | None, typer.Option(min=2, help="Prompts of the study whose chance is told.")] = None,
    editors: Annotated[int, typer.Option(min=1, help="Editors that judge each prompt.")] = 3,
    ties: Annotated[float, typer.Option(min=0, max=1, help="Share of ties among votes.")] = 0.2,
    looks: Annotated[
        int | None, typer.Option(min=1, help="Looks that share the error rate; unset: as the criteria say.")
    ] = None,
    as_json: Json = False,
) -> None:
    """How many held-out pairs, prompts and votes a set of criteria needs if the truth is as hoped.

    A gate by bound passes only what the evidence carries: a reward that is truly above every threshold is still
    undecided on too few pairs. Numbers are for a chance of 80%, simulated from what is hoped and assumed here. Looks
    that are planned (--looks, or `looks:` in the criteria) make each of them stricter.
    """
    from assay.gate.criteria import load_criteria
    from assay.gate.criteria_needs import Hope
    from assay.gate.criteria_needs import plan as planned
    from assay.gate.looks import LookPlan

    by_name = hoped_by_category(categories, category or [], accuracy)
    default = "support" if by_name else "overall" if accuracy is not None or win_rate is None else "study"
    hope = Hope(
        accuracy=accuracy, categories=by_name, pairs_per_prompt=pairs_per_prompt, icc=icc, longest=longest,
        win_rate=win_rate, editors=editors, ties=ties,
    )  # fmt: skip
    asked = load_criteria(criteria or default)
    found = planned(asked, hope, pairs=pairs, prompts=prompts, looks=LookPlan(planned=looks) if looks else asked.looks)
    lines = [line(need, hope, asked=prompts if need.counted == "prompts" else pairs) for need in found.needs]
    if found.together is not None:
        lines.append(line(found.together, hope, asked=pairs))
    lines += looks_lines(found)
    output(found.to_dict(), "\n".join(lines), as_json=as_json)


def looks_lines(found: Plan) -> list[str]:
    """What looks are planned and at what level one of them is decided; the numbers above are for that one."""
    plan = found.looks
    if plan is None:
        return []
    which = "each" if plan.spending == "equal" else "the last"
    return [
        f"  {plan.planned} looks share the error rate: {which} is decided by intervals at {100 * found.level:.4g}%, "
        "and the numbers are for that look alone"
    ]


def hoped_by_category(count: int, named: list[str], accuracy: float | None) -> dict[str, float]:
    """Accuracy by category: those named, and unnamed ones up to `count`. Raises InputError for what is no share."""
    from assay.errors import InputError

    found: dict[str, float] = {}
    for text in named:
        name, equals, share = text.rpartition("=")
        try:
            found[name] = float(share[:-1]) / 100 if share.endswith("%") else float(share)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise InputError(f"--category {text}: write the category and its hoped accuracy, such as refusals=0.75.")
    if len(found) < count:
        if accuracy is None:
            raise InputError("--categories needs --accuracy, the accuracy hoped for in each of them, such as 0.78.")
        found |= {f"category {place}": accuracy for place in range(len(found) + 1, count + 1)}
    return found


def line(need: Need, hope: Hope, *, asked: int | None) -> str:
    """One criterion in rich markup: what it needs, and the chance of as many as were asked about."""
    from rich.markup import escape

    from assay.report.words import count

    if need.why and need.chance is None:
        return f"  [dim]{'-':>10}[/]  {escape(need.text)}: {escape(need.why)}"
    number = "never" if need.needed is None else count(need.needed)
    votes = f" ({count(need.needed * hope.editors)} votes)" if need.counted == "prompts" and need.needed else ""
    said = f"{need.counted}{votes} for a chance of 80%" if need.needed is not None else escape(need.why)
    told = (
        "" if need.chance is None or asked is None else f"; {count(asked)} {need.counted} pass with {need.chance:.0%}"
    )
    return f"  [bold]{number:>10}[/]  {escape(need.text)}: {said}{told}"
