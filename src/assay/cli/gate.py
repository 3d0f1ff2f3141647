"""`assay gate`: a verdict from a run's evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, output
from assay.cli.verdicts import EXIT, verdict_lines


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
    lines = verdict_lines(verdict, str(run), counted="held-out pairs")
    output(verdict.to_dict(), "\n".join(lines), as_json=as_json)
    raise typer.Exit(EXIT[verdict.verdict])
