"""Several scorers as one: their mean, the least of them, their mean less a penalty, or what is good with all of them.

1. `ensemble:A,B,C` takes scorers as they are; `ensemble:FILE.yaml` names members, rule and scale. A run folder is a
   member for each of its seeds.
2. Members on different scales are brought to one by what they give on a file of pairs (`scale_on`): a number that is
   fixed, so that a reward never depends on what else is scored beside it.
An answer that one member cannot score has no reward here, for that member's reason. Knows scorers; knows no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from assay.artifacts.files import sha256_file, sha256_json
from assay.config import StageConfig, read_config_file
from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.made_of import MadeOf
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, score_groups, scored
from assay.scorers.scored_pairs import groups_for

Rule = Literal["mean", "worst", "uncertainty", "good_with_all"]
Opened = Callable[[str], Mapping[int, Scorer]]
FEWEST = 2


class EnsembleConfig(StageConfig):
    """A file of `ensemble:FILE.yaml`."""

    members: list[str] = Field(min_length=1, description="scorers, as on the command line; paths from where you stand")
    rule: Rule = Field(
        "mean",
        description="mean, worst (the least), uncertainty (mean - penalty x variance), or good_with_all (the mean "
        "where every member reaches the threshold, else the least)",
    )
    penalty: float = Field(1.0, ge=0, description="what the rule uncertainty takes off for a variance of 1")
    threshold: float = Field(
        0.0, description="of good_with_all: 0 is each member's mean on scale_on, 1 its spread within prompts above it"
    )
    scale_on: str | None = Field(None, description="pairs on which each member's scale is measured; none: as they are")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a member's rewards are put on one scale by: less `mean`, over `sd`."""

    mean: float
    sd: float

    def of(self, value: float) -> float:
        return (value - self.mean) / self.sd


class EnsembleScorer(MadeOf):
    """The members' rewards by one rule; each member's own reward stands in `heads`, under its name.

    scale_on: a file of pairs. Rules: mean; worst, the least member; uncertainty, mean - penalty x variance of the
    members (Coste et al. 2023, 2310.02743); good_with_all: the mean of the members where each reaches `threshold`, else
    the least, so that no answer which one member finds wanting comes before one that all find good.
    """

    def __init__(
        self,
        members: Mapping[str, Scorer],
        *,
        rule: Rule = "mean",
        penalty: float = 1.0,
        threshold: float = 0.0,
        scale_on: Path | None = None,
    ) -> None:
        if len(members) < FEWEST:
            raise InputError(f"ensemble: {len(members)} member. Name two scorers at least, or a run of several seeds.")
        if rule == "good_with_all" and scale_on is None:
            raise InputError(
                "ensemble: good_with_all asks each member to reach a threshold on its own scale, so the scale has to "
                "be measured. Name a file of pairs as scale_on."
            )
        self.members, self.rule, self.penalty, self.scale_on = dict(members), rule, penalty, scale_on
        self.threshold = threshold

    @property
    def name(self) -> str:
        told = "as they are" if self.scale_on is None else f"each standardised on {self.scale_on}"
        rule = {
            "mean": "mean of",
            "worst": "least of",
            "uncertainty": f"mean less {self.penalty:g} x variance of",
            "good_with_all": f"mean where all reach {self.threshold:g}, else the least, of",
        }
        return f"{rule[self.rule]} {', '.join(self.members)}, {told}"

    @property
    def parts(self) -> Mapping[str, Scorer]:
        return self.members

    @cached_property
    def fingerprint(self) -> str:
        return sha256_json(
            {
                "ensemble": self.rule,
                "penalty": self.penalty if self.rule == "uncertainty" else None,
                **({"threshold": self.threshold} if self.rule == "good_with_all" else {}),
                "members": {name: one.fingerprint for name, one in self.members.items()},
                "scale_on": None if self.scale_on is None else sha256_file(self.scale_on),
            }
        )

    @cached_property
    def scales(self) -> Mapping[str, Scale]:
        """Each member's scale, measured at first use."""
        if self.scale_on is None:
            return dict.fromkeys(self.members, Scale(mean=0.0, sd=1.0))
        return {name: measured_scale(name, one, self.scale_on) for name, one in self.members.items()}

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        given = {name: [results for _, results in score_groups(one, groups)] for name, one in self.members.items()}
        return [
            tuple(self._together({name: given[name][n][k] for name in self.members}) for k in range(len(group.answers)))
            for n, group in enumerate(groups)
        ]

    def spread(self, reward: Reward) -> float:
        """Standard deviation of the members on one answer, on their common scale: how far they disagree about it."""
        return float(np.std([self.scales[name].of(value) for name, value in reward.heads.items()]))

    def _together(self, results: Mapping[str, Scored]) -> Scored:
        for name, result in results.items():
            if isinstance(result, Unscored):
                return Unscored(f"{name}: {result.reason}", too_long=result.too_long)
        heads = {name: result.value for name, result in results.items() if isinstance(result, Reward)}
        values = np.array([self.scales[name].of(value) for name, value in heads.items()])
        # A standardised reward that is too large for a float is not finite, and `scored` says so.
        with np.errstate(over="ignore", invalid="ignore"):
            return scored(float(self._by_rule(values)), heads=heads)

    def _by_rule(self, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        match self.rule:
            case "mean":
                return float(values.mean())
            case "worst":
                return float(values.min())
            case "uncertainty":
                return float(values.mean() - self.penalty * values.var())
            case "good_with_all":
                return float(values.mean() if values.min() >= self.threshold else values.min())


def ensemble(argument: str, opened: Opened) -> EnsembleScorer:
    """The ensemble that `argument` names: scorers with commas between, or a YAML file. opened: how one is opened.

    Raises InputError for fewer than two members or one named twice, ConfigError for a file that is not as it should be.
    """
    if Path(argument).suffix in (".yaml", ".yml") and "," not in argument:
        config = EnsembleConfig.build(read_config_file(Path(argument)))
    else:
        config = EnsembleConfig.build({"members": [part.strip() for part in argument.split(",") if part.strip()]})
    found: dict[str, Scorer] = {}
    for name, one in members(config.members, opened):
        if name in found:
            raise InputError(f"ensemble: {name} stands twice and would count double. Name each member once.")
        found[name] = one
    scale_on = None if config.scale_on is None else Path(config.scale_on)
    if scale_on is not None and not scale_on.is_file():
        raise InputError(f"{argument}: scale_on: {scale_on} is no file. Give a file of pairs.")
    if "threshold" in config.model_fields_set and config.rule != "good_with_all":
        raise InputError(f"{argument}: threshold is read by the rule good_with_all, and the rule is {config.rule}.")
    return EnsembleScorer(
        found, rule=config.rule, penalty=config.penalty, threshold=config.threshold, scale_on=scale_on
    )


def members(texts: Sequence[str], opened: Opened) -> Iterator[tuple[str, Scorer]]:
    for text in texts:
        seeds = opened(text)
        for seed, one in seeds.items():
            yield (text if len(seeds) == 1 else f"{text} seed {seed}"), one


def measured_scale(name: str, member: Scorer, path: Path) -> Scale:
    """Mean of a member's rewards on a file of pairs, and their spread within prompts.

    Within prompts, because that is where rewards are compared: a reward that adds a large number to all answers of
    some prompts has no larger scale by it. Raises InputError where the member cannot tell answers apart there.
    """
    from assay.data import read_pairs

    values: list[float] = []
    squares, freedom = 0.0, 0
    for _, results in score_groups(member, groups_for(member, read_pairs(path).pairs)):
        known = [result.value for result in results if isinstance(result, Reward)]
        values += known
        if len(known) > 1:
            squares += float(np.var(known)) * len(known)
            freedom += len(known) - 1
    sd = math.sqrt(squares / freedom) if freedom else 0.0
    if not sd > 0:
        raise InputError(f"ensemble: {name} gives the answers of {path} no different rewards, so it has no scale.")
    return Scale(mean=float(np.mean(values)), sd=sd)
