"""`assay remedies`: which remedy buys what on one's own pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Json, Probes, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.errors import ConfigError

EXAMPLE = "Example: assay remedies pairs.jsonl --base minilm --holdout 500 --remedies verbosity,odin --out remedies"


def register(app: typer.Typer) -> None:
    app.command("remedies", epilog=EXAMPLE)(remedies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What each remedy is measured on beside held-out pairs, and how many at once; its fields are options."""

    elsewhere: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Labelled pairs from outside the data: accuracy on them too.", show_default=False
        ),
    ] = None
    candidates: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Many answers a prompt, as assay optimise takes them: gold at best of 64.",
            show_default=False,
        ),
    ] = None
    gold: Annotated[
        str | None,
        typer.Option(
            help="What the candidates are judged by: another scorer, labels, or truth (simulated).", show_default=False
        ),
    ] = None
    press: Annotated[
        str | None,
        typer.Option(
            metavar="support",
            help="The simulated desk on which a policy searches for each reward: gold of what it finds.",
            show_default=False,
        ),
    ] = None
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Remedies measured at once, each in a process, on the one device (1).", show_default=False
        ),
    ] = None


NOTHING_MORE = Measures()
NEEDS = {
    "press": "--press support",
    "pressure": "--candidates FILE --gold SPEC",
    "bases": "bases.second and a remedy of two bases, such as --remedies bases_mean,",
}


@with_data_options
def remedies(
    data: Annotated[str, typer.Argument(help="Preference pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Folder with a run for each remedy; the same command goes on.")],
    base: Annotated[str | None, typer.Option(help="Base model: catalogue name, Hugging Face id or folder.")] = None,
    asked: Annotated[
        str,
        typer.Option(
            "--remedies",
            metavar="all|NAMES",
            help="verbosity, rrm, confidently_wrong, text, consistency, odin, margins, smoothing, flips, dropout, "
            "early_stopping, vote_shares, vote_weights, unanimous, suspected; corrected_length, corrected_style, "
            "averaged, ensemble_mean, ensemble_worst, ensemble_uncertainty, ensemble_good_with_all; with --set "
            "bases.second=NAME second_base, bases_mean, bases_worst, bases_uncertainty, bases_good_with_all.",
        ),
    ] = "all",
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds each is trained with: 0, 1, ...")] = 3,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest rendered row; longer pairs are dropped.")] = None,
    probes: Probes = None,
    measured: Measures = NOTHING_MORE,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Train with each remedy and with none on the same split, and say what each buys and costs.

    Accuracy on held-out pairs and on those of --elsewhere, overall, where answers are of one length, and where the
    shorter one is preferred; probe rates; with --candidates gold at best of 64, with --press gold of what a pressing
    policy finds on the simulated desk. Each is paired with the run without, pair by pair and prompt by prompt. Training
    time, serving time, models run for a reward. remedies.json and remedies.md hold the tables. What data or base do not
    allow is named in them. The options are those of `assay reward`, and under press those of the search, such as
    --set press.rounds=4.
    """
    from assay.flows.project_config import ProjectConfig
    from assay.flows.remedies import RemediesOptions, run_remedies
    from assay.flows.remedy_config import RemediesConfig
    from assay.flows.remedy_names import SECOND_BASE, remedy_names
    from assay.report.remedies_table import table

    flags = {
        "model.base": base,
        "model.max_tokens": max_tokens,
        "split.holdout": holdout,
        "train.seeds": list(range(seeds)),
        "train.epochs": epochs,
        "probes.names": probes,
        "press.world": measured.press,
    }
    settings = options.settings(RemediesConfig, flags, family=ProjectConfig)
    second = SECOND_BASE in remedy_names(asked, second_base=settings.bases.second)
    pressed = measured.press or settings.press.world
    refuse_unread(options, {"press": pressed, "pressure": measured.candidates, "bases": second})
    told = RemediesOptions(
        asked=asked, elsewhere=measured.elsewhere, candidates=measured.candidates, gold=measured.gold,
        processes=measured.processes or 1, command=command_line(),
    )  # fmt: skip
    found = run_remedies(data, out, config=settings, options=told, notify=said)
    body = {**found.body.model_dump(mode="json"), "folder": str(found.folder)}
    output(body, table(found.body).replace("[", "\\["), as_json=as_json)


def refuse_unread(options: DataOptions, read: Mapping[str, object]) -> None:
    """read: by section, what makes that its options are read. Raises ConfigError for one set where nothing does."""
    for section, asked_for in read.items():
        if not asked_for and options.sets_any(section):
            raise ConfigError(f"--set {section}.*: nothing reads it. Give {NEEDS[section]} too, or leave it out.")


def said(line: str) -> None:
    notes().print(line, markup=False)
