"""`assay report`: write the report and the model card of a run, or the page of a reward under pressure, again from its
artifacts alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, output


def register(app: typer.Typer) -> None:
    app.command("report", epilog="Example: assay report runs/support")(report)


def report(
    run: Annotated[
        Path,
        typer.Argument(
            help="Run folder that holds run.json, audit.json and gate.json, or a folder of `assay optimise`."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Write report.html and MODEL_CARD.md of a run again, or pressure.html of `assay optimise`.

    Of a tuned policy also founder.html, a page without jargon.

    Nothing is trained or scored.
    """
    from assay.artifacts.pressure_body import holds_pressure
    from assay.artifacts.run_folder import RunFolder
    from assay.errors import ArtifactError
    from assay.report import model_card, policy_card, pressure_page, render
    from assay.report.founder import founder_page, tuned_a_policy

    if not run.is_dir():
        raise ArtifactError(
            f"{run} is not a run folder. Give the folder that holds run.json, audit.json and gate.json, or "
            "pressure.json of `assay optimise`."
        )
    if holds_pressure(run):
        page = pressure_page(run)
        output({"report": str(page)}, f"Report: {page}", as_json=as_json)
        return
    folder = RunFolder(run)
    made = {"report": str(render(folder))}
    lines = [f"Report: {made['report']}"]
    tuned = tuned_a_policy(folder)
    if tuned:
        made["founder"] = str(founder_page(folder))
        lines.append(f"For the founder: {made['founder']}")
    made["model_card"] = str(policy_card(folder) if tuned else model_card(folder))
    lines.append(f"Model card: {made['model_card']}")
    output(made, "\n".join(lines), as_json=as_json)
