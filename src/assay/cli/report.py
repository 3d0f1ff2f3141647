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
    """Write report.html of a run again, and MODEL_CARD.md of a reward model; nothing is trained or scored."""
    from assay.artifacts.run_body import RunBody
    from assay.artifacts.run_folder import RunFolder
    from assay.errors import ArtifactError
    from assay.report import model_card, render

    if not run.is_dir():
        raise ArtifactError(
            f"{run} is not a run folder. Give the folder that holds run.json, audit.json and gate.json."
        )
    folder = RunFolder(run)
    page = render(folder)
    if "dpo" in RunBody.read(folder.path("run.json")).config:  # a model card is a reward model's
        output({"report": str(page), "model_card": None}, f"Report: {page}", as_json=as_json)
        return
    card = model_card(folder)
    output({"report": str(page), "model_card": str(card)}, f"Report: {page}\nModel card: {card}", as_json=as_json)
