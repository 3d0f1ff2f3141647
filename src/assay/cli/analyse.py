"""`assay study analyse`: a closed study to a verdict and a page. Parses, calls one function, prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.options import Json, command_line, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import EXIT, verdict_lines

if TYPE_CHECKING:
    from assay.flows.study import Analysed


def register(study_app: typer.Typer) -> None:
    study_app.command("analyse", epilog="Example: assay study analyse study.db --out result --criteria criteria.yaml")(
        with_data_options(analyse)
    )


def analyse(
    *,
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|VOTES",
            help="A closed study: a SQLite file, postgresql://user@host/database, or an export folder; or a file of "
            "votes cast elsewhere (CSV, JSON, Parquet).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for analysis.json, gate.json and result.html.")],
    system: Annotated[
        str | None, typer.Option(help="The system the study is about; unset: its last one, the tuned one.")
    ] = None,
    criteria: Annotated[
        Path | None, typer.Option("--criteria", metavar="FILE", help="YAML file of criteria; unset: win rate > 0.5.")
    ] = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Say what a closed study, or a file of votes, found, how sure that is, and whether it meets the criteria.

    Exit code 0: the criteria are met; 1: they are not; 3: undecided, with how many more prompts would decide; 2: bad
    input. Votes of people and of programs are told apart throughout.
    """
    from assay.flows.study import read_and_analyse
    from assay.study.config import AnalysisConfig

    settings = options.settings(AnalysisConfig, {"system": system})
    found = read_and_analyse(study, out, config=settings, criteria=criteria, command=command_line())
    output(_json(found), _text(found), as_json=as_json)
    raise typer.Exit(EXIT[found.verdict.verdict])


def _json(found: Analysed) -> dict[str, object]:
    from assay.findings.slice import OVERALL

    return {
        **found.verdict.to_dict(),
        "ours": found.analysis.ours,
        "findings": {f.name: f.to_dict() for f in found.analysis.findings if f.slice == OVERALL},
        "page": str(found.page),
    }


def _text(found: Analysed) -> str:
    from rich.markup import escape

    from assay.report.finding_text import inline, label
    from assay.study.analysis.vote_meanings import MEANINGS

    verdict, analysis = found.verdict, found.analysis
    lines = verdict_lines(verdict, analysis.study.title)
    lines.append(f"people, {escape(analysis.ours)}:")
    for name, words in MEANINGS.shown_in("terminal").items():
        finding = analysis.find(name)
        if finding is not None:
            lines.append(f"  {words}: {escape(inline(finding))}")
    for finding in analysis.findings:
        if finding.name in ("win_rate", "judge_agreement") and finding.slice.part == "judge":
            lines.append(
                f"  program {escape(finding.slice.label)}, {label(finding.name).lower()}: {escape(inline(finding))}"
            )
    if analysis.study.outside is not None:
        lines += ["not known, and how the file was read:", *(f"  {escape(note)}" for note in analysis.study.outside)]
    return "\n".join([*lines, f"Page: {escape(str(found.page))}"])
