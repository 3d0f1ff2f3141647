"""`assay gate`: a verdict from the evidence of a run, or of a reward under pressure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, output
from assay.cli.verdicts import EXIT, verdict_lines


def register(app: typer.Typer) -> None:
    app.command("gate", epilog="Example: assay gate runs/a --criteria criteria.yaml")(gate)


def gate(
    run: Annotated[
        Path,
        typer.Argument(
            help="Run folder with audit.json, split.json and seed-N/train.json, or a folder of `assay optimise`."
        ),
    ],
    criteria: Annotated[
        Path | None,
        typer.Option("--criteria", metavar="FILE", help="YAML file of criteria, or a built-in set such as ppo-ready."),
    ] = None,
    looks: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Looks planned at these held-out pairs, or more of them, under these criteria: each may spend an "
            "equal share of the error rate. Also `looks:` in the criteria file.",
            show_default=False,
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="FILE", help="File that counts the looks of --looks; unset: RUN/looks.jsonl."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside",
            metavar="DIR",
            help="Folder of `assay fresh`, `optimise` or `capability`, whose figures the criteria ask for; may be "
            "repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide whether a reward model may be used, by criteria, and write gate.json.

    A criterion is such as 'overall accuracy > 0.72', 'every category > 0.65' or 'accuracy > 0.72 every seed'.
    Of a folder of `assay optimise`, which holds pressure.json, criteria are such as 'turning point >= 16 by point' and
    'gold fall < 0.1', which are the built-in set pressure.
    Whoever looks again after a change, or after more pairs, is wrong oftener than one look is, unless the looks are
    planned.

    Exit code 0: the gate passed; 1: it failed; 3: undecided, with how many more pairs would decide; 2: bad input.
    """
    from assay.errors import GateError
    from assay.gate import LookPlan, decide_run

    if ledger is not None and looks is None:
        raise GateError("--ledger counts the looks of --looks; say how many are planned, such as --looks 3.")
    plan = None if looks is None else LookPlan(planned=looks, ledger=ledger)
    verdict = decide_run(run, criteria, looks=plan, beside=beside or ())
    lines = verdict_lines(verdict, str(run))
    output(verdict.to_dict(), "\n".join(lines), as_json=as_json)
    raise typer.Exit(EXIT[verdict.verdict])
