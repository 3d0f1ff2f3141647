"""`combined:FILE.yaml`: several objectives' scorers as one reward; each objective's own stands in `heads`.

Scales, weights, steps and bounds stand in the file; nothing is fitted when answers are scored. An answer that one
objective cannot score has no reward here, for that scorer's reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from assay.artifacts.files import sha256_json
from assay.config import read_config_file
from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.combined.combination_file import Combination
from assay.scorers.combined.combining_rules import together
from assay.scorers.made_of import MadeOf
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, score_groups, scored

# What of an objective decides a reward. The rest of the file says where these came from.
DECIDES = ("mean", "sd", "weight", "tolerance", "bound", "dual")


class CombinedScorer(MadeOf):
    """The rewards of `scorers`, by objective, put together by `combination`; in `heads` they are standardised."""

    def __init__(self, scorers: Mapping[str, Scorer], combination: Combination) -> None:
        self.combination = combination
        self.scorers = {one.name: scorers[one.name] for one in combination.objectives}
        self._mean = np.array([one.mean for one in combination.objectives])
        self._sd = np.array([one.sd for one in combination.objectives])

    @property
    def name(self) -> str:
        names = list(self.scorers)
        match self.combination.rule:
            case "weights":
                told = " + ".join(f"{one.weight:.3g} {one.name}" for one in self.combination.objectives)
            case "lexicographic":
                told = ", then ".join(names)
            case "constrained":
                lead = self.combination.maximise
                told = f"{lead} where {' and '.join(name for name in names if name != lead)} hold"
        return f"combined: {told}"

    @property
    def parts(self) -> Mapping[str, Scorer]:
        return self.scorers

    @cached_property
    def fingerprint(self) -> str:
        parts = [{name: getattr(one, name) for name in DECIDES} for one in self.combination.objectives]
        return sha256_json(
            {
                "combined": self.combination.rule,
                "maximise": self.combination.maximise,
                "objectives": parts,
                "scorers": {name: one.fingerprint for name, one in self.scorers.items()},
            }
        )

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        given = self._given(groups)
        return [
            tuple(self._one({name: given[name][n][k] for name in self.scorers}) for k in range(len(group.answers)))
            for n, group in enumerate(groups)
        ]

    def _given(self, groups: Sequence[Candidates]) -> dict[str, list[tuple[Scored, ...]]]:
        """Each objective's rewards. Heads of one model are read off one forward pass: its rewards hold all heads."""
        passes: dict[object, list[tuple[Scored, ...]]] = {}
        given = {}
        for name, one in self.scorers.items():
            alike = getattr(one, "one_pass", None)
            if alike is None:
                given[name] = [results for _, results in score_groups(one, groups)]
                continue
            if alike not in passes:
                passes[alike] = [results for _, results in score_groups(one, groups)]
            head = getattr(one, "head", "")
            given[name] = [tuple(_of_head(result, head) for result in results) for results in passes[alike]]
        return given

    def _one(self, results: Mapping[str, Scored]) -> Scored:
        for name, result in results.items():
            if isinstance(result, Unscored):
                return Unscored(f"{name}: {result.reason}", too_long=result.too_long)
        values = np.array([result.value for result in results.values() if isinstance(result, Reward)])
        standard = (values - self._mean) / self._sd
        heads = dict(zip(results, standard.tolist(), strict=True))
        return scored(float(together(standard[None, :], self.combination)[0]), heads=heads)


def _of_head(result: Scored, head: str) -> Scored:
    return scored(result.heads[head]) if isinstance(result, Reward) else result


def combined(argument: str, opened: Callable[[str], Scorer]) -> CombinedScorer:
    """The combined scorer of a YAML file as `assay models combine` writes it. opened: how a scorer is opened.

    Raises ConfigError where the file is not as it should be, InputError where it is of an undecided combination.
    """
    config = Combination.build(read_config_file(Path(argument)))
    if config.outcome == "undecided":
        raise InputError(f"{argument} is undecided: {' '.join(config.reasons)} Combine again with other thresholds.")
    return CombinedScorer({one.name: opened(one.scorer) for one in config.objectives}, config)
