"""The options of `assay fresh`: of asking a policy and people, and of joining what they said. Computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import ConfigError
from assay.models.precision import Asked as PrecisionAsked

if TYPE_CHECKING:
    from assay.flows.fresh_tables import KpiSource

Model = Annotated[
    str | None,
    typer.Option(
        help="What answers: a language model by folder or name, adapter:DIR@BASE, endpoint:MODEL@URL, or a file."
    ),
]
Asked = Annotated[
    str | None, typer.Option(metavar="FILE", help="Prompts, one JSON object a line; or pairs, whose prompts are taken.")
]
Many = Annotated[int | None, typer.Option("--n", help="Answers a prompt, of which two make a pair (4).")]
Tokens = Annotated[int | None, typer.Option(min=1, help="Tokens of an answer at most (256).")]
Heat = Annotated[float | None, typer.Option(min=0, help="Of sampling (1.0).")]
Nucleus = Annotated[float | None, typer.Option(help="Draw among the likeliest tokens that hold so much (1.0).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Decides every answer (0).")]
Device = Annotated[
    str | None, typer.Option(help="Where a model runs: cpu, cuda, ...; auto takes a GPU if there is one.")
]
Precise = Annotated[
    PrecisionAsked | None,
    typer.Option(help="float32 (the default), bf16, or auto: bf16 where it is measured to be clearly faster here."),
]
AtOnce = Annotated[int | None, typer.Option(min=1, help="Answers side by side, or requests at once.")]
Votes = Annotated[
    int | None, typer.Option(help="Pairs drawn at random for the estimate, each judged by every editor (100).")
]
Unsure = Annotated[int | None, typer.Option(help="Pairs beside them where the reward is least sure (25).")]
Editors = Annotated[int | None, typer.Option(min=0, help="People who judge (3). 0, and no program: only files.")]
Simulated = Annotated[list[str] | None, typer.Option(help="A simulated judge by name; may be repeated.")]
Attention = Annotated[Path | None, typer.Option(help="Own attention items: rows of prompt, good, bad.")]
Url = Annotated[str | None, typer.Option(help="Where editors will reach the server; goes into their links.")]
Data = Annotated[
    str | None, typer.Option("--data", help="The reward's own pairs, whose prompts are not fresh, if no run says it.")
]
Static = Annotated[
    Path | None,
    typer.Option("--static", metavar="DIR", help="Audit of the reward on held-out pairs, if no run has it."),
]
Conclude = Annotated[str | None, typer.Option("--conclude", metavar="STUDY", help="The closed study of these pairs.")]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labelled", metavar="FILE", help="In place of a study: pairs of for_people.jsonl with votes or labels."
    ),
]
Judge = Annotated[
    str | None,
    typer.Option(metavar="SCORER", help="A judge whose labels of all pairs help people's; any scorer but the reward."),
]
Drift = Annotated[
    Path | None, typer.Option(metavar="PATH", help="KL over training: a run of assay dpo, or a CSV with step,kl.")
]
Kpis = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="Outside figures by version: version, reward, and a column each."),
]
KpiRewards = Annotated[
    Path | None, typer.Option(metavar="FILE.csv", help="The reward by version (and human_preference), if elsewhere.")
]
KpiReward = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that holds the reward (reward).")]
Lower = Annotated[
    list[str] | None, typer.Option("--lower-is-better", metavar="KPI", help="A figure of which less is better.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """How the policy and people are asked; read without --conclude and --labelled."""

    policy: Model = None
    prompts: Asked = None
    n: Many = None
    max_tokens: Tokens = None
    temperature: Heat = None
    top_p: Nucleus = None
    seed: Seed = None
    device: Device = None
    precision: Precise = None
    at_once: AtOnce = None
    votes: Votes = None
    unsure: Unsure = None
    editors: Editors = None
    simulated: Simulated = None
    attention: Attention = None
    url: Url = None
    data: Data = None
    static: Static = None

    def given(self) -> list[str]:
        """Options that were set, as they are typed."""
        return [f"--{name.replace('_', '-')}" for name in self.__slots__ if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOptions:
    """What people said and what stands beside it; read with --conclude or --labelled."""

    conclude: Conclude = None
    labelled: Labels = None
    judge: Judge = None
    drift: Drift = None
    kpis: Kpis = None
    kpi_rewards: KpiRewards = None
    kpi_reward: KpiReward = None
    lower_is_better: Lower = None

    @property
    def joins(self) -> bool:
        return self.conclude is not None or self.labelled is not None

    def given(self) -> list[str]:
        return [f"--{name.replace('_', '-')}" for name in self.__slots__ if getattr(self, name) is not None]

    def table(self) -> KpiSource | None:
        """The table of outside figures. Raises ConfigError where what belongs to one is given without it."""
        from assay.flows.fresh_tables import REWARD, KpiSource

        if self.kpis is None:
            alone = [name for name in self.given() if name in ("--kpi-rewards", "--kpi-reward", "--lower-is-better")]
            if alone:
                raise ConfigError(f"{', '.join(alone)}: of a table of KPIs, which --kpis FILE.csv gives.")
            return None
        return KpiSource(
            kpis=self.kpis, rewards=self.kpi_rewards, reward=self.kpi_reward or REWARD,
            lower=tuple(self.lower_is_better or ()),
        )  # fmt: skip


NOTHING_ASKED, NOTHING_JOINED = AskOptions(), JoinOptions()
