"""A verdict and what each criterion came to, as values and as they stand in gate.json. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.gate_body import CriterionBody, DecidedBody, GateBody, Word
from assay.artifacts.looks_body import LooksBody
from assay.artifacts.rests_on_body import RestsOn
from assay.findings.slice import Slice
from assay.gate.criteria import Criterion
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.intervals import Interval

ARTIFACT = "gate.json"
Toward = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one criterion, or one part of an "every ...", came to.

    slice: what was compared, and seed: of which seed, None over all. value_noun: what `value` counts where it is no
    figure. n: of `counted`. more_pairs: pairs (of a study: votes) that would decide it, where it is undecided.
    more_prompts: the same in prompts, for figures counted in votes on prompts. toward: what these would decide if
    the figure stays. parts: of an "every ...", one a slice or seed.
    """

    criterion: Criterion
    verdict: Word
    reasons: tuple[str, ...]
    slice: Slice | None = None
    seed: int | None = None
    value: float | None = None
    value_noun: str | None = None
    interval: Interval | None = None
    n: int | None = None
    counted: str = "pair"
    more_pairs: int | None = None
    more_prompts: int | None = None
    toward: Toward | None = None
    parts: tuple[Result, ...] = ()

    @property
    def text(self) -> str:
        return self.criterion.text

    @property
    def threshold(self) -> float | None:
        return self.criterion.threshold

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(self.reasons)

    def to_body(self) -> CriterionBody:
        asked = self.criterion
        return CriterionBody(
            **self._decided(),
            text=asked.text,
            kind=asked.kind,
            by=asked.by,
            finding=asked.finding,
            part=asked.part,
            comparison=asked.operator,
            unit=EVERY_FIGURE[asked.finding].unit if asked.finding is not None else None,
            threshold=asked.threshold,
            parts=tuple(DecidedBody(**part._decided()) for part in self.parts),
        )

    def _decided(self) -> dict[str, object]:
        return {
            "slice": str(self.slice) if self.slice is not None else None,
            "verdict": self.verdict,
            "reason": self.reason,
            "reasons": self.reasons,
            "value": self.value,
            "value_noun": self.value_noun,
            "interval": IntervalBody.model_validate(self.interval.to_dict()) if self.interval else None,
            "n": self.n,
            "counted": self.counted,
            "more_pairs": self.more_pairs,
            "more_prompts": self.more_prompts,
            "toward": self.toward,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict and the criteria behind it; fail if any fails, else undecided if any is, else pass.

    rests_on: what became of the rows of the data, so that no figure hides what it leaves out; None where not known.
    looks: which look at the evidence this was; None where nobody counts.
    """

    verdict: Word
    criteria: tuple[Result, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    rests_on: RestsOn | None = None
    looks: LooksBody | None = None

    def to_body(self) -> GateBody:
        return GateBody(
            verdict=self.verdict,
            criteria=tuple(result.to_body() for result in self.criteria),
            inputs=dict(self.inputs),
            rests_on=self.rests_on,
            looks=self.looks,
        )

    def to_dict(self) -> dict[str, object]:
        """As it stands in gate.json."""
        return self.to_body().model_dump(mode="json")
