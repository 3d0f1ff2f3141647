"""`assay dpo RUN --conclude STUDY`: a tuned policy, its closed study and its capability to one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from assay.cli.dpo_options import StudyOptions
from assay.cli.options import command_line, notes, output
from assay.cli.reading import DataOptions
from assay.cli.verdicts import EXIT, verdict_lines

if TYPE_CHECKING:
    from assay.flows.dpo_conclusion import Conclusion


def conclude(run: Path, study: StudyOptions, *, criteria: Path | None, options: DataOptions, as_json: bool) -> None:
    """Decide, print and exit with the verdict's code. Raises ConfigError for two capability tests."""
    from assay.flows.dpo_conclusion import ConcludeConfig, one_test
    from assay.flows.dpo_conclusion import conclude as decide

    assert study.conclude is not None
    test = one_test(made=study.capability, questions=study.mmlu)
    settings = options.settings(ConcludeConfig, {"criteria": None if criteria is None else str(criteria)})
    found = decide(run, study.conclude, test=test, config=settings, command=command_line(), notify=say)
    show(found, as_json=as_json)
    raise typer.Exit(EXIT[found.verdict.verdict])


def say(line: str) -> None:
    notes().print(line, markup=False)


def show(found: Conclusion, *, as_json: bool) -> None:
    lines = verdict_lines(found.verdict, str(found.folder))
    if found.capability is not None:
        lines.append(f"Capability: {escape(found.capability.sentence)}")
    lines.append(f"Study: {escape(str(found.study_page))}")
    body = {
        **found.verdict.to_dict(),
        "folder": str(found.folder),
        "study_page": str(found.study_page),
        "capability": None if found.capability is None else found.capability.outcome,
    }
    output(body, "\n".join(lines), as_json=as_json)
