"""What a jury's file may say: which judges, how their verdicts are pooled, and how many requests they may take.

A debate's file names a jury too: the same judges, voting as often as each is called in the debate. That is the majority
that a debate has to beat, since most of what several calls buy is had by counting votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from assay.config import StageConfig
from assay.errors import ConfigError
from assay.scorers.debate.debate_config import debate_of
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.seats import Named, seated, seats_file

Rule = Literal["majority", "mean", "reliability"]
# Of a score file, beside each judge's own by its name.
HEADS = frozenset({"won", "lost", "tied", "flipped_first", "flipped_second", "dissent"})
EXAMPLE = "jury:FILE.yaml with judges:, or the file of a debate"


class JuryConfig(StageConfig):
    """A file of `jury:FILE.yaml`. A judge is a file of `judge:`, a model on this machine, or a judge's options."""

    judges: list[Named] = Field(min_length=1, description="who votes; files are beside this one")
    rule: Rule = Field(
        default="majority",
        description="majority of all votes; mean: of the judges' shares of votes; reliability: each judge's verdict "
        "weighted by how often it is right on weights_on",
    )
    weights_on: Path | None = Field(default=None, description="labelled pairs for reliability, never those audited")
    quorum: int | None = Field(
        default=None,
        ge=1,
        description="judges that must give a verdict, or there is no reward; none: half of them, of graders all",
    )
    max_requests: int | None = Field(default=None, ge=1, description="requests of all judges together")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """A jury's file, read. judges: by name. told: what to call it where it is not called after its judges."""

    config: JuryConfig
    judges: dict[str, JudgeConfig]
    told: str = ""

    @property
    def quorum(self) -> int:
        return -(-len(self.judges) // 2) if self.config.quorum is None else self.config.quorum


def jury_of(path: Path) -> Jury:
    """The jury of a jury's or a debate's file. Raises ConfigError for what does not go together."""
    raw = seats_file(path, EXAMPLE)
    if "debaters" in raw:
        return jury_of_debate(path)
    config = JuryConfig.build(raw)
    judges = seated(config.judges, path)
    votes = sum(one.votes for one in judges.values())
    why = None
    if votes < 2:
        why = f"judges: one vote in all ({', '.join(judges)}) is a judge and no jury. Name two, or several votes of one"
    elif (config.rule == "reliability") != (config.weights_on is not None):
        why = "weights_on: the rule reliability needs labelled pairs, and no other rule reads them"
    elif config.quorum is not None and config.quorum > len(judges):
        why = f"quorum: {config.quorum} of {len(judges)} judges can never be reached"
    elif taken := sorted(judges.keys() & HEADS):
        why = f"judges: {taken[0]} is what a score file calls something else. Give that judge's file another name"
    if why is not None:
        raise ConfigError(f"{path}: {why}.")
    if config.weights_on is not None:
        weights_on = path.parent / config.weights_on.expanduser()
        if not weights_on.is_file():
            raise ConfigError(f"{path}: weights_on: {weights_on} is no file. Give labelled pairs.")
        config = config.model_copy(update={"weights_on": weights_on})
    return Jury(config=config, judges=judges)


def jury_of_debate(path: Path) -> Jury:
    """The same judges as a debate's, each with as many votes as it is called there in one order of the answers.

    Both orders are asked in both, so calls a comparison are the same to the call. Raises ConfigError where a judge
    would have several votes that are all alike.
    """
    debate = debate_of(path)
    judges = {name: debate.configs[name].model_copy(update={"votes": count}) for name, count in debate.calls.items()}
    for name, one in judges.items():
        try:
            one.checked(path)
        except ConfigError as error:
            raise ConfigError(
                f"{error} (As a jury {name} has {one.votes} votes: as many calls as in the debate.)"
            ) from None
    named: list[Named] = list(judges.values())
    return Jury(
        config=JuryConfig(judges=named, max_requests=debate.config.max_requests),
        judges=judges,
        told=f"the judges of {path.name}",
    )
