"""One figure of an audit and why it matters. Knows words and numbers; knows not how a figure was computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from assay.errors import ArtifactError
from assay.findings.vocabulary import ALL_MEANINGS, DESCRIPTIONS, MEANINGS, Meaning
from assay.stats.intervals import Interval, NoInterval

__all__ = ["DESCRIPTIONS", "MEANINGS", "Finding", "Judgement", "Meaning", "measured", "unknown"]

Judgement = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure: its value or the reason it is unknown, its n, its interval, and why it matters.

    slice: "overall", "category=NAME", or another part ("editor=NAME"). seed: the training seed, None over all seeds.
    verdict: "ok", "warning", "problem", or None where the figure is described and not judged.
    reason: why the value is unknown, or, beside a known value, why there is no interval.
    """

    name: str
    slice: str = "overall"
    value: float | None
    unit: str
    n: int
    interval: Interval | None = None
    why: str
    reason: str | None = None
    verdict: Judgement | None = None
    seed: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"finding {self.name}: an unknown value needs a reason")
        if self.verdict not in (None, *get_args(Judgement)):
            raise ValueError(f"finding {self.name}: verdict {self.verdict!r}")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"finding {self.name}: {self.value} is not a figure; unknown is None with a reason")

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "interval": self.interval.to_dict() if self.interval else None}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Raises ArtifactError if `value` is not a finding."""
        try:
            interval = value["interval"]
            return cls(**{**value, "interval": Interval(**interval) if interval is not None else None})
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"not a finding of an audit ({error}). Run the audit again.") from None


def measured(name: str, value: float, *, n: int, interval: Interval | NoInterval | None = None, **more: Any) -> Finding:
    """A known figure. `more`: slice, verdict, seed, detail. Not finite becomes unknown, with the reason."""
    meaning = ALL_MEANINGS[name]
    if not math.isfinite(value):
        return unknown(name, "the computed value is not finite", n=n, **{**more, "verdict": None})
    return Finding(
        name=name,
        value=float(value),
        unit=meaning.unit,
        n=n,
        interval=interval if isinstance(interval, Interval) else None,
        reason=f"no interval: {interval.reason}" if isinstance(interval, NoInterval) else None,
        why=meaning.why,
        **more,
    )


def unknown(name: str, reason: str, *, n: int = 0, **more: Any) -> Finding:
    """A figure that could not be had, and why."""
    meaning = ALL_MEANINGS[name]
    return Finding(name=name, value=None, unit=meaning.unit, n=n, why=meaning.why, reason=reason, **more)
