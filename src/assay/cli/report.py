"""`assay report`: write the report and the model card of a run again, from its artifacts alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, output


def register(app: typer.Typer) -> None:
    app.command("report", epilog="Example: assay report runs/support")(report)


def report(
    run: Annotated[Path, typer.Argument(help="Run folder that holds run.json, audit.json and gate.json.")],
    as_json: Json = False,
) -> None:
    """Write report.html and MODEL_CARD.md of a run again; of a tuned policy also founder.html, a page without jargon.

    Nothing is trained or scored.
    """
    from assay.artifacts.run_folder import RunFolder
    from assay.errors import ArtifactError
    from assay.report import model_card, policy_card, render
    from assay.report.founder import founder_page, tuned_a_policy

    if not run.is_dir():
        raise ArtifactError(
            f"{run} is not a run folder. Give the folder that holds run.json, audit.json and gate.json."
        )
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
