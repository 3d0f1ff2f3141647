"""The options of `assay dpo`: of tuning a policy, and of the study that judges it. Parses; computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import Sharing, TemplateOption
from assay.errors import ConfigError
from assay.models.config import Tuning
from assay.train.config import Compile, Precision
from assay.train.dpo.config import REMEDIES

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
Precise = Annotated[Precision | None, typer.Option(help="auto: bf16 where measured to be faster.")]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOptions:
    """How a policy is tuned; its fields are options, in the order of --help."""

    base: Base = None
    holdout: Annotated[int | None, typer.Option(help="Pairs held out, exactly (300).")] = None
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds to tune: 0, 1, ...")] = None
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Of all trained weights.")] = None
    beta: Annotated[float | None, typer.Option(help="How strongly the policy is held to its base (0.1).")] = None
    loss: Losses = None
    max_tokens: Annotated[int | None, typer.Option(help="Longest rendered row; longer pairs are dropped.")] = None
    tuning: Annotated[Tuning | None, typer.Option(help="All weights, or adapters over full or 4-bit ones.")] = None
    template: TemplateOption = None
    prompts: Prompts = None
    sweep: Sweep = None
    remedy: Remedies = None
    precision: Precise = None
    compiling: Compiled = None
    sharing: Sharing = None

    def flags(self) -> dict[str, object]:
        """By the keys of the configuration."""
        return {
            "model.base": self.base,
            "model.max_tokens": self.max_tokens,
            "model.tuning": self.tuning,
            "model.template": self.template,
            "split.holdout": self.holdout,
            "dpo.beta": self.beta,
            "dpo.loss_type": self.loss or None,
            "watch.prompts": None if self.prompts is None else str(self.prompts),
            "trials.sweep": swept(self.sweep),
            "trials.remedy": remedies(self.remedy),
            "train.seeds": None if self.seeds is None else list(range(self.seeds)),
            "train.epochs": self.epochs,
            "train.learning_rate": self.learning_rate,
            "train.precision": self.precision,
            "train.compile": self.compiling,
            "train.sharing": self.sharing,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """The study that a run ends with, and what is joined to it when it is closed."""

    fresh: Fresh = None
    editors: Editors = None
    simulated: Simulated = None
    conclude: Closed = None
    capability: Tested = None
    mmlu: Questions = None

    def flags(self) -> dict[str, object]:
        """By the keys of the configuration."""
        return {
            "study.prompts": None if self.fresh is None else str(self.fresh),
            "study.editors": self.editors,
            "study.simulated": self.simulated or None,
        }


AS_CONFIGURED, NO_STUDY = TuningOptions(), StudyOptions()


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
