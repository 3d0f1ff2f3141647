"""`assay reward` and `assay demo`: the whole flow from pairs to verdict."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from assay.cli.options import ConfigFile, Json, Sets, notes, output
from assay.cli.reading import ColumnNames, LabelNames, LayoutName, as_settings, reading
from assay.cli.verdicts import EXIT, verdict_lines
from assay.config import load_config
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.flows.reward import RewardRun


REWARD_EXAMPLE = "Example: assay reward pairs.jsonl --base minilm --holdout 1000 --seeds 3 --out runs/support"


def register(app: typer.Typer) -> None:
    app.command("reward", epilog=REWARD_EXAMPLE)(reward)
    app.command("demo", epilog="Example: assay demo --out runs/demo")(demo)


def reward(
    data: Annotated[str, typer.Argument(help="Preference pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Run folder; the same command goes on where it was stopped.")],
    base: Annotated[str | None, typer.Option(help="Base model: catalogue name, Hugging Face id or folder.")] = None,
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds to train: 0, 1, ...")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest rendered row; longer pairs are dropped.")] = None,
    tuning: Annotated[str | None, typer.Option(help="full, lora or qlora.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32 or bf16.")] = None,
    layout: LayoutName = None,
    columns: ColumnNames = None,
    labels: LabelNames = None,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of gate criteria.")] = None,
    no_sharing: Annotated[bool, typer.Option("--no-sharing", help="Run every row in full; changes time only.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Train a reward model on preference pairs, audit it, and decide whether it may be used.

    Exit code 0: the gate passed; 1: it failed; 3: undecided; 2: bad input; 130: interrupted, run again to go on.
    """
    from assay.flows.reward import run_reward

    flags: dict[str, Any] = {
        "model.base": base,
        "model.max_tokens": max_tokens,
        "model.tuning": tuning,
        "split.holdout": holdout,
        "train.seeds": None if seeds is None else list(range(seeds)),
        "train.epochs": epochs,
        "train.precision": precision,
        "train.sharing": "off" if no_sharing else None,
        **reading(layout, columns, labels),
        "criteria": None if criteria is None else str(criteria),
    }
    settings = load_config(RewardConfig, file=config, sets=as_settings(flags, sets))
    run = run_reward(data, out, config=settings, command=command_line(), notify=notes().print)
    show(run, as_json=as_json)
    raise typer.Exit(EXIT[run.outcome])


def demo(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")] = Path("runs/demo"),
    pairs: Annotated[int, typer.Option(min=50, help="Pairs to simulate; a fifth is held out.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    as_json: Json = False,
) -> None:
    """The reward flow on the simulated support desk, offline, on a small base: a few minutes on two cores.

    Exit code 0 when the flow is done, whatever the verdict: at this size it may well be "undecided".
    """
    from assay.flows.demo import run_demo

    run = run_demo(out, pairs=pairs, seed=seed, command=command_line(), notify=notes().print)
    show(run, as_json=as_json)


def command_line() -> str:
    """The command as the user typed it, for the report."""
    return shlex.join(["assay", *sys.argv[1:]])


def show(run: RewardRun, *, as_json: bool) -> None:
    lines = verdict_lines(run.verdict, str(run.folder), counted="held-out pairs")
    lines.append(f"Report: {escape(str(run.report))}")
    body = {
        "verdict": run.outcome,
        "folder": str(run.folder),
        "report": str(run.report),
        "criteria": run.verdict.to_dict()["criteria"],
    }
    output(body, "\n".join(lines), as_json=as_json)
