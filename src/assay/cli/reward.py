"""`assay reward` and `assay demo`: the whole flow from pairs to verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from assay.cli.options import Json, Probes, Sharing, command_line, notes, output
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.cli.verdicts import EXIT, verdict_lines
from assay.models.config import Tuning
from assay.train.config import Compile, Precision
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.flows.reward import RewardRun


MADE_KINDS = ("verbosity", "rrm", "confidently_wrong")
Augment = Annotated[
    list[str] | None,
    typer.Option(
        "--augment",
        metavar="KIND=SHARE",
        help="Train on made pairs too, as a share of the training pairs: verbosity=0.2 (a longer, worse answer is "
        "rejected), rrm=0.5 (answers to other prompts are), confidently_wrong=0.2 (wrong figures lose to "
        "an abstention, both to the chosen answer). May be repeated; none is held out.",
        show_default=False,
    ),
]
Without = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Rows with ids, such as suspected_labels.jsonl of an audit: training pairs that are left out.",
        show_default=False,
    ),
]
REWARD_EXAMPLE = "Example: assay reward pairs.jsonl --base minilm --holdout 1000 --seeds 3 --out runs/support"


def register(app: typer.Typer) -> None:
    app.command("reward", epilog=REWARD_EXAMPLE)(reward)
    app.command("demo", epilog="Example: assay demo --out runs/demo")(demo)


@with_data_options
def reward(
    data: Annotated[str, typer.Argument(help="Preference pairs: a file, a folder, or a Hugging Face dataset id.")],
    out: Annotated[Path, typer.Option("--out", help="Run folder; the same command goes on where it was stopped.")],
    base: Annotated[str | None, typer.Option(help="Base model: catalogue name, Hugging Face id or folder.")] = None,
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds to train: 0, 1, ...")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest rendered row; longer pairs are dropped.")] = None,
    tuning: Annotated[Tuning | None, typer.Option(help="All weights, or adapters over full or 4-bit ones.")] = None,
    precision: Annotated[Precision | None, typer.Option(help="auto: bf16 where measured to be faster.")] = None,
    compiling: Annotated[
        Compile | None, typer.Option("--compile", help="Compile layers; auto: decoders, where a long run gains by it.")
    ] = None,
    heads: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME,...", help="Objectives: a head for each over one trunk; scored as RUN@NAME."),
    ] = None,
    sharing: Sharing = None,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of gate criteria.")] = None,
    probes: Probes = None,
    augment: Augment = None,
    without: Without = None,
    options: DataOptions = UNSET,
    as_json: Json = False,
) -> None:
    """Train a reward model on preference pairs, audit it, and decide whether it may be used.

    Exit code 0: the gate passed; 1: it failed; 3: undecided; 2: bad input; 130: interrupted, run again to go on.
    """
    from assay.flows.processes import follows
    from assay.flows.project_config import ProjectConfig
    from assay.flows.reward import run_reward

    flags = {
        "model.base": base,
        "model.max_tokens": max_tokens,
        "model.tuning": tuning,
        "split.holdout": holdout,
        "train.seeds": None if seeds is None else list(range(seeds)),
        "train.epochs": epochs,
        "train.precision": precision,
        "train.compile": compiling,
        "train.sharing": sharing,
        "model.heads": None if heads is None else [one.strip() for one in heads.split(",") if one.strip()],
        "probes.names": probes,
        "select.without": None if without is None else str(without),
        **augment_shares(augment or ()),
        "criteria": None if criteria is None else str(criteria),
    }
    settings = options.settings(RewardConfig, flags, family=ProjectConfig)
    run = run_reward(data, out, config=settings, command=command_line(), notify=notes().print)
    if follows():  # the first process of several says what came of it
        return
    show(run, as_json=as_json)
    raise typer.Exit(EXIT[run.outcome])


def augment_shares(texts: Sequence[str]) -> dict[str, object]:
    """What --augment says, by key of the configuration. Raises typer.BadParameter for what is no kind and share."""
    found: dict[str, object] = {}
    for text in texts:
        kind, _, share = (part.strip() for part in text.partition("="))
        if kind not in MADE_KINDS or f"augment.{kind}" in found:
            raise typer.BadParameter(
                f"{text!r}: expected {' or '.join(f'{one}=0.2' for one in MADE_KINDS)}, each once.",
                param_hint="--augment",
            )
        try:
            found[f"augment.{kind}"] = float(share)
        except ValueError:
            raise typer.BadParameter(
                f"{text!r}: {share!r} is no share, such as 0.2 for a fifth of the training pairs.",
                param_hint="--augment",
            ) from None
    return found


def demo(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")] = Path("runs/demo"),
    pairs: Annotated[int, typer.Option(min=50, help="Pairs to simulate; a fifth is held out.")] = 1800,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    as_json: Json = False,
) -> None:
    """The reward flow on the simulated support desk, offline, on a small base: a few minutes on two cores.

    Exit code 0 when the flow is done, whatever the verdict: at this size it may well be "undecided".
    """
    from assay.flows.demo import run_demo

    run = run_demo(out, pairs=pairs, seed=seed, command=command_line(), notify=notes().print)
    show(run, as_json=as_json)


def show(run: RewardRun, *, as_json: bool) -> None:
    lines = verdict_lines(run.verdict, str(run.folder))
    lines[1:1] = [f"  [yellow]{escape(line)}[/]" for line in run.untrained]
    lines.append(f"Report: {escape(str(run.report))}")
    body = {
        "verdict": run.outcome,
        "folder": str(run.folder),
        "report": str(run.report),
        "untrained": list(run.untrained),
        "criteria": run.verdict.to_dict()["criteria"],
    }
    output(body, "\n".join(lines), as_json=as_json)
