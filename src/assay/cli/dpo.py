"""`assay dpo`: from pairs to a tuned policy, its held-out figures and the blind study that is to judge it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from assay.cli import conclude as concluding
from assay.cli.options import Json, Sharing, TemplateOption, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import EXIT, verdict_lines, ways_out
from assay.errors import ConfigError
from assay.models.config import Tuning
from assay.train.config import Compile, Precision
from assay.train.dpo.config import REMEDIES, DpoRunConfig

if TYPE_CHECKING:
    from assay.flows.dpo import PolicyRun

EXAMPLE = "Example: assay dpo grants.jsonl --base smollm2 --holdout 300 --tuning lora --out runs/grants"

Base = Annotated[str | None, typer.Option(help="Language model: catalogue name, Hugging Face id or folder.")]
Losses = Annotated[
    list[str] | None, typer.Option("--loss", metavar="NAME", help="TRL's loss_type; several are added (sigmoid).")
]
Prompts = Annotated[
    Path | None, typer.Option(help="Fresh prompts to answer while tuning; default: prompts of held-out pairs.")
]
Sweep = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="OPTION=V,V,...",
        help="Try values of beta or learning_rate on a validation slice of the training groups; may be repeated.",
    ),
]
Remedies = Annotated[
    str | None,
    typer.Option(
        "--remedy",
        metavar="all|NAME,...",
        help=f"Try remedies against falling log-probabilities on that slice: {', '.join(REMEDIES)}.",
    ),
]
Compiled = Annotated[
    Compile | None, typer.Option("--compile", help="Compile layers; auto: where a long run gains by it.")
]
Fresh = Annotated[
    Path | None,
    typer.Option(
        "--fresh",
        metavar="FILE",
        help="Fresh prompts: base and tuned policy answer them, and a blind study of the answers is written.",
    ),
]
Editors = Annotated[int | None, typer.Option(min=0, help="Editors of that study (3).")]
Simulated = Annotated[list[str] | None, typer.Option(help="A simulated judge of that study by name; may be repeated.")]
Closed = Annotated[
    str | None, typer.Option("--conclude", metavar="STUDY", help="The closed study of the run RUN: end in the verdict.")
]
Tested = Annotated[
    Path | None,
    typer.Option("--capability", metavar="FILE", help="With --conclude: a capability.json of policy and base."),
]
Questions = Annotated[
    Path | None,
    typer.Option("--mmlu", metavar="PATH", help="With --conclude: questions for policy and base, laid out as MMLU's."),
]
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
    base: Base = None,
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly (300).")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds to tune: 0, 1, ...")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Of all trained weights.")] = None,
    beta: Annotated[float | None, typer.Option(help="How strongly the policy is held to its base (0.1).")] = None,
    loss: Losses = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest rendered row; longer pairs are dropped.")] = None,
    tuning: Annotated[Tuning | None, typer.Option(help="All weights, or adapters over full or 4-bit ones.")] = None,
    template: TemplateOption = None,
    prompts: Prompts = None,
    fresh: Fresh = None,
    editors: Editors = None,
    simulated: Simulated = None,
    sweep: Sweep = None,
    remedy: Remedies = None,
    precision: Annotated[Precision | None, typer.Option(help="auto: bf16 where measured to be faster.")] = None,
    compiling: Compiled = None,
    sharing: Sharing = None,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of gate criteria.")] = None,
    conclude: Closed = None,
    capability: Tested = None,
    mmlu: Questions = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Tune a language model on preference pairs by DPO, show on held-out pairs what came of it, and write the blind
    study that is to judge it.

    When the study is closed, `assay dpo RUN --conclude STUDY` joins what people said to held-out accuracy and
    capability, and ends in the verdict.

    Exit code 0: the gate passed; 1: it failed; 3: undecided; 2: bad input; 130: interrupted, run again to go on.
    """
    if conclude is not None:
        refuse_others(context)
        concluding.conclude(
            Path(data), conclude, capability=capability, mmlu=mmlu, criteria=criteria, options=options, as_json=as_json
        )
    if out is None:
        raise ConfigError("Give the folder of the run: --out runs/NAME.")
    if capability is not None or mmlu is not None:
        raise ConfigError("--capability and --mmlu are read with --conclude, when the study is closed.")
    from assay.flows.dpo import run_dpo
    from assay.flows.processes import follows

    flags = {
        "model.base": base,
        "model.max_tokens": max_tokens,
        "model.tuning": tuning,
        "model.template": template,
        "split.holdout": holdout,
        "dpo.beta": beta,
        "dpo.loss_type": loss or None,
        "watch.prompts": None if prompts is None else str(prompts),
        "study.prompts": None if fresh is None else str(fresh),
        "study.editors": editors,
        "study.simulated": simulated or None,
        "trials.sweep": swept(sweep),
        "trials.remedy": remedies(remedy),
        "train.seeds": None if seeds is None else list(range(seeds)),
        "train.epochs": epochs,
        "train.learning_rate": learning_rate,
        "train.precision": precision,
        "train.compile": compiling,
        "train.sharing": sharing,
        "criteria": None if criteria is None else str(criteria),
    }
    settings = options.settings(DpoRunConfig, flags)
    run = run_dpo(data, out, config=settings, command=command_line(), notify=notes().print)
    if follows():  # the first process of several says what came of it
        return
    show(run, as_json=as_json)
    raise typer.Exit(EXIT[run.outcome])


def swept(texts: Sequence[str] | None) -> dict[str, list[float]] | None:
    """`beta=0.05,0.1` as values by option. Raises ConfigError for anything else."""
    if not texts:
        return None
    found: dict[str, list[float]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        try:
            numbers = [float(value) for value in values.split(",")]
        except ValueError:
            numbers = []
        if not equals or not numbers or name.strip() in found:
            raise ConfigError(f"--sweep {text!r}: expected OPTION=VALUE,VALUE once each, such as beta=0.05,0.1,0.3.")
        found[name.strip()] = numbers
    return found


def remedies(text: str | None) -> list[str] | None:
    """Names of remedies; `all` is all of them."""
    if text is None:
        return None
    return list(REMEDIES) if text.strip() == "all" else [name.strip() for name in text.split(",")]


def refuse_others(context: typer.Context) -> None:
    """Raises ConfigError where an option of tuning was given, which --conclude does not read."""
    defaults = {parameter.name: parameter.default for parameter in context.command.params}
    given = [name for name, value in context.params.items() if name not in OF_CONCLUDING and value != defaults[name]]
    if given:
        options = {parameter.name: parameter.opts[0] for parameter in context.command.params}
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
