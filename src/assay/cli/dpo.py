"""`assay dpo`: from pairs to a tuned policy, its held-out figures and the blind study that is to judge it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from assay.cli import conclude as concluding
from assay.cli.dpo_options import AS_CONFIGURED, NO_STUDY, StudyOptions, TuningOptions
from assay.cli.options import Json, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import EXIT, verdict_lines, ways_out
from assay.errors import ConfigError
from assay.train.dpo.config import DpoRunConfig

if TYPE_CHECKING:
    from assay.flows.dpo import PolicyRun

EXAMPLE = "Example: assay dpo grants.jsonl --base smollm2 --holdout 300 --tuning lora --out runs/grants"
# What --conclude reads of the options; every other one is of tuning.
OF_CONCLUDING = frozenset({"data", "conclude", "capability", "mmlu", "criteria", "config", "sets", "as_json"})


def register(app: typer.Typer) -> None:
    app.command("dpo", epilog=EXAMPLE)(dpo)


@with_data_options
def dpo(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA|RUN",
            help="Preference pairs: a file, a folder, or a Hugging Face dataset id. With --conclude: the run folder.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Run folder; the same command goes on where it was stopped.")
    ] = None,
    tuning: TuningOptions = AS_CONFIGURED,
    study: StudyOptions = NO_STUDY,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of gate criteria.")] = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Tune a language model on preference pairs by DPO, show on held-out pairs what came of it, and write the blind
    study that is to judge it.

    When the study is closed, `assay dpo RUN --conclude STUDY` joins what people said to held-out accuracy and
    capability, and ends in the verdict.

    Exit code 0: the gate passed; 1: it failed; 3: undecided; 2: bad input; 130: interrupted, run again to go on.
    """
    if study.conclude is not None:
        refuse_others(context)
        concluding.conclude(Path(data), study, criteria=criteria, options=options, as_json=as_json)
    if out is None:
        raise ConfigError("Give the folder of the run: --out runs/NAME.")
    if study.capability is not None or study.mmlu is not None:
        raise ConfigError("--capability and --mmlu are read with --conclude, when the study is closed.")
    from assay.flows.dpo import run_dpo
    from assay.flows.processes import follows

    flags = {**tuning.flags(), **study.flags(), "criteria": None if criteria is None else str(criteria)}
    settings = options.settings(DpoRunConfig, flags)
    run = run_dpo(data, out, config=settings, command=command_line(), notify=notes().print)
    if follows():  # the first process of several says what came of it
        return
    show(run, as_json=as_json)
    raise typer.Exit(EXIT[run.outcome])


def refuse_others(context: typer.Context) -> None:
    """Raises ConfigError where an option of tuning was given, which --conclude does not read."""
    options = {str(one.name): one.opts[0] for one in context.command.params if one.name not in OF_CONCLUDING}
    given = [name for name in options if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"]
    if given:
        named = ", ".join(options[name] for name in given)
        raise ConfigError(f"{named}: the policy is tuned already. Leave it out of --conclude.")


def show(run: PolicyRun, *, as_json: bool) -> None:
    lines = verdict_lines(run.verdict, str(run.folder))
    lines += [f"  [yellow]{escape(line)}[/]" for line in ways_out(run.audit.findings)]
    lines.append(f"Policy: {escape(', '.join(str(seed.model_folder) for seed in run.seeds))}")
    lines.append(f"Report: {escape(str(run.report))}")
    lines += study_lines(run)
    body = {
        "verdict": run.outcome,
        "folder": str(run.folder),
        "report": str(run.report),
        "policies": [str(seed.model_folder) for seed in run.seeds],
        "figures": {str(seed.seed): dict(seed.figures) for seed in run.seeds},
        "criteria": run.verdict.to_dict()["criteria"],
        "study": None if run.study is None else run.study.model_dump(mode="json"),
    }
    output(body, "\n".join(lines), as_json=as_json)


def study_lines(run: PolicyRun) -> list[str]:
    """The study that was written and what to do with it, or how to have one."""
    if run.study is None:
        return [
            "Study: none. Run the same command with --fresh PROMPTS.jsonl, and base and tuned policy answer prompts "
            "that neither has seen, for editors who do not know which is which."
        ]
    written, place = run.study, shlex.quote(str(run.folder / run.study.study))
    aside = ", ".join(f"{count} set aside ({why})" for why, count in written.aside.items())
    folder = shlex.quote(str(run.folder))
    return [
        f"Study: {written.shown} fresh prompts, {len(written.editors)} judges, {written.showings} showings"
        + (f"; {aside}" if aside else ""),
        f"  {escape(written.sentence)}",
        *(f"  [yellow]note[/] {escape(note)}" for note in written.notes),
        f"Links: {escape(str(run.folder / written.links))} (yours alone to read)",
        f"Serve: assay study serve {escape(place)}",
        f"Then:  assay study close {escape(place)}",
        f"       assay dpo {escape(folder)} --conclude {escape(place)} --mmlu PATH",
    ]
