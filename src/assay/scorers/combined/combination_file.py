"""What stands in the file of `combined:FILE.yaml`: objectives with their scales, and the rule that puts them together.

Everything a reward needs is in it as a number; what those numbers were measured on stands beside them with its hash.
Knows no scorer and no pair.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, model_validator

from assay.artifacts.files import atomic_write
from assay.config import StageConfig

Rule = Literal["weights", "lexicographic", "constrained"]
FURTHEST = 10.0  # standard deviations; further out, an ordered or constrained objective counts as there
MOST_STEPS = 2.0**40  # of all ordered objectives together: what a float can hold and still tell the last one apart


class ObjectivePart(StageConfig):
    """One objective. Its scorer's reward, less mean, over sd, is its standardised reward; all else is in that unit."""

    name: str = Field(min_length=1, description="helpful, harmless, ...")
    scorer: str = Field(description="as on the command line; paths from where you stand")
    mean: float = Field(0.0, description="of its rewards on the named files")
    sd: float = Field(1.0, gt=0, description="of its rewards there within prompts")
    pairs: int | None = Field(None, description="pairs of this objective in the named files")
    weight: float | None = Field(None, description="rule weights: what a standard deviation counts")
    weight_error: float | None = Field(None, description="standard error of a fitted weight, clustered by prompt")
    tolerance: float | None = Field(
        None, gt=0, description="rule lexicographic: the step within which answers are equal; the last needs none"
    )
    threshold: float | None = Field(None, description="rule constrained: what an answer has to be above")
    slope: float | None = Field(
        None, gt=0, description="log odds that people prefer by, a standard deviation: lower bound at 95%"
    )
    bound: float | None = Field(None, description="the threshold and what the stated confidence adds to it")
    dual: float | None = Field(None, ge=0, description="what a standard deviation below the bound costs")


class NamedFile(StageConfig):
    """A file of pairs that something was measured on."""

    path: str
    sha256: str
    use: Literal["scale", "weights", "validation"]
    pairs: int


class CurvePoint(StageConfig):
    """One place of a trade-off curve. accuracy: on each objective's pairs. met: answers that break no constraint."""

    at: float
    accuracy: dict[str, float]
    met: float | None = None


class TradeOff(StageConfig):
    """What happens to accuracy on each objective's pairs as one weight, tolerance or threshold moves."""

    objective: str
    moved: Literal["weight", "tolerance", "threshold"]
    stands_at: float | None = Field(None, description="where the combination itself stands on it")
    points: list[CurvePoint]


class MeasuredObjective(StageConfig):
    """Accuracy on one objective's pairs: of its own scorer alone, and of the combination, with intervals."""

    objective: str
    pairs: int
    alone: float
    alone_interval: tuple[float, float] | None
    combined: float
    combined_interval: tuple[float, float] | None


class Combination(StageConfig):
    """A file of `combined:FILE.yaml`."""

    rule: Rule
    objectives: list[ObjectivePart] = Field(min_length=2, description="in order: lexicographic takes the first first")
    maximise: str | None = Field(None, description="rule constrained: the objective that is maximised")
    confidence: float | None = Field(
        None, ge=0.5, lt=1, description="rule constrained: chance that people find an answer above the threshold"
    )
    outcome: Literal["decided", "undecided"] = "decided"
    reasons: list[str] = Field(default_factory=list, description="why it is undecided")
    notes: list[str] = Field(default_factory=list, description="what to know before it is used")
    files: list[NamedFile] = Field(default_factory=list)
    measured: list[MeasuredObjective] = Field(default_factory=list)
    trade_offs: list[TradeOff] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_a_combination(self) -> Combination:
        names = [one.name for one in self.objectives]
        if len(set(names)) < len(names):
            raise ValueError("each objective stands once")
        if self.rule == "weights":
            self._check_weights()
        elif self.rule == "lexicographic":
            self._check_order()
        else:
            self._check_constraints(names)
        return self

    def _check_weights(self) -> None:
        weights = [one.weight for one in self.objectives]
        if None in weights:
            raise ValueError("rule weights: every objective has a weight")
        if not all(math.isfinite(one) for one in weights if one is not None):
            raise ValueError("rule weights: weights are finite")
        if not sum(one for one in weights if one is not None) > 0:
            raise ValueError("rule weights: the weights sum to nothing, so no answer is better than another")

    def _check_order(self) -> None:
        if any(one.tolerance is None for one in self.objectives[:-1]):
            raise ValueError("rule lexicographic: every objective but the last has a tolerance")
        steps = math.prod(2 * FURTHEST / one.tolerance + 1 for one in self.objectives[:-1] if one.tolerance)
        if steps > MOST_STEPS:
            raise ValueError("rule lexicographic: tolerances this fine leave the last objective nothing; widen one")

    def _check_constraints(self, names: list[str]) -> None:
        if self.maximise not in names or self.confidence is None:
            raise ValueError("rule constrained: maximise names one of the objectives, and confidence is stated")
        if self.outcome == "undecided":
            return
        for one in self.objectives:
            if one.name != self.maximise and None in (one.threshold, one.bound, one.dual):
                raise ValueError(f"rule constrained: {one.name} has a threshold, a bound and a dual weight")

    def write(self, path: Path) -> None:
        """The file that `combined:FILE.yaml` reads."""
        values = self.model_dump(mode="json", exclude_none=True)
        with atomic_write(path) as stream:
            stream.write(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode())
