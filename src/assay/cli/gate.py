"""`assay gate`: a verdict from a run's evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, output

if TYPE_CHECKING:
    from assay.gate import Verdict

EXIT = {"pass": 0, "fail": 1, "undecided": 3}
COLOUR = {"pass": "green", "fail": "red", "undecided": "yellow"}


def register(app: typer.Typer) -> None:
    app.command("gate", epilog="Example: assay gate runs/a --criteria criteria.yaml")(gate)


def gate(
    run: Annotated[Path, typer.Argument(help="Run folder with audit.json, split.json and seed-N/train.json.")],
    criteria: Annotated[
        Path | None, typer.Option("--criteria", metavar="FILE", help="YAML file of criteria; unset: the built-in set.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide whether a reward model may be used, by criteria, and write gate.json.

    Exit code 0: the gate passed; 1: it failed; 3: undecided, with how many more pairs would decide; 2: bad input.
    """
    from assay.gate import decide_run

    verdict = decide_run(run, criteria)
    output(verdict.to_dict(), table(verdict, run), as_json=as_json)
    raise typer.Exit(EXIT[verdict.verdict])


def table(verdict: Verdict, run: Path) -> str:
    """The verdict and one line a criterion, in rich markup."""
    from rich.markup import escape

    lines = [f"[bold {COLOUR[verdict.verdict]}]{verdict.verdict}[/]  {escape(str(run))}"]
    for result in verdict.criteria:
        colour = COLOUR[result.verdict]
        more = f"; about {result.more_pairs:,} more held-out pairs would decide" if result.more_pairs else ""
        said = f"{escape(result.text)}: {escape(result.reason)}{more}"
        lines.append(f"  [{colour}]{result.verdict:<9}[/] {said}")
    return "\n".join(lines)
