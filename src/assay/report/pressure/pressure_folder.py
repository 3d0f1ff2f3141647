"""The page of a reward under pressure written again from what stands in its folder. Never scores, never presses."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from assay.artifacts.files import read_jsonl
from assay.artifacts.fit_body import FIT, FitBody
from assay.artifacts.pressure_body import PRESSURE, PressureBody
from assay.audits.pressure.worst_picks import PickRow
from assay.report.pressure.pressure_page import render_pressure

PAGE = "pressure.html"
WORST = "worst_picks.jsonl"
AGAIN = "Run the same `assay optimise` command again: no answer is scored twice."


def pressure_page(folder: Path) -> Path:
    """Write pressure.html of a folder of `assay optimise`; the same artifacts give the same bytes.

    Raises ArtifactError where an artifact is missing, torn or of another version. A folder that was written before
    there was a fit has none.
    """
    body = PressureBody.read(folder / PRESSURE, again=AGAIN)
    worst = [cast("PickRow", row) for row in read_jsonl(folder / WORST)]
    fit = FitBody.read(folder / FIT, again=AGAIN) if (folder / FIT).exists() else None
    return render_pressure(body, worst, folder / PAGE, fit=fit)
