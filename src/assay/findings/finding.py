"""One figure and why it matters: its value and interval, or why there is none. Knows not how it was computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypedDict, Unpack, get_args

from pydantic import ValidationError

from assay.artifacts.finding_body import FindingBody, IntervalBody
from assay.errors import ArtifactError
from assay.findings.alarm import Alarm
from assay.findings.slice import OVERALL, Slice
from assay.findings.vocabulary import Meaning
from assay.stats.intervals import Interval
from assay.stats.unknown import Unknown

Judgement = Literal["ok", "warning", "problem", "too_few"]
Detail = Mapping[str, Any]  # what else is known of a figure; its keys are the figure's own
# Why a figure that only describes has no interval. In artifacts it is an interval of null without a reason.
DESCRIBES = Unknown("it describes what is at hand and estimates nothing beyond it")
_OLD_PREFIX = "no interval: "  # in reasons of artifacts written before gate/2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure: its value or why it is unknown, its interval or why there is none, its n, and why it matters.

    n: pairs, votes, prompts or items it was measured on. seed: the training seed, None over all seeds.
    verdict: "ok", "warning", "problem", "too_few" (nothing found, on too little to find it), or None where the figure
    is described and not judged. alarm: how surprising it is, for who judges the findings of an audit together.
    """

    name: str
    slice: Slice = OVERALL
    value: float | Unknown
    unit: str
    n: int
    interval: Interval | Unknown = DESCRIBES
    why: str
    verdict: Judgement | None = None
    seed: int | None = None
    detail: Detail = field(default_factory=dict)
    alarm: Alarm | None = field(default=None, compare=False)  # what came of it is the verdict, and p stands in detail

    def __post_init__(self) -> None:
        if isinstance(self.value, Unknown) and not self.value.reason:
            raise ValueError(f"finding {self.name}: an unknown value needs a reason")
        if self.verdict not in (None, *get_args(Judgement)):
            raise ValueError(f"finding {self.name}: verdict {self.verdict!r}")
        if not isinstance(self.value, Unknown) and not math.isfinite(self.value):
            raise ValueError(f"finding {self.name}: {self.value} is not a figure; unknown is Unknown with a reason")

    @property
    def known(self) -> float | None:
        """The value, or None where it is unknown."""
        return None if isinstance(self.value, Unknown) else self.value

    @property
    def bounds(self) -> Interval | None:
        """The interval, or None where there is none."""
        return None if isinstance(self.interval, Unknown) else self.interval

    @property
    def reason(self) -> str | None:
        """Why the value is unknown, or else why there is no interval; None where nothing is missing."""
        if isinstance(self.value, Unknown):
            return self.value.reason
        return None if isinstance(self.interval, Interval) or self.interval == DESCRIBES else self.interval.reason

    def to_body(self) -> FindingBody:
        found = self.interval
        return FindingBody(
            name=self.name,
            slice=str(self.slice),
            value=self.known,
            unit=self.unit,
            n=self.n,
            interval=IntervalBody.model_validate(found.to_dict()) if isinstance(found, Interval) else None,
            why=self.why,
            reason=self.reason,
            verdict=self.verdict,
            seed=self.seed,
            detail=dict(self.detail),
        )

    def to_dict(self) -> dict[str, object]:
        """As it stands in JSON."""
        return self.to_body().model_dump(mode="json")

    @classmethod
    def from_dict(cls, value: object) -> Self:
        """From JSON. Raises ArtifactError if `value` is not a finding."""
        try:
            return cls.from_body(FindingBody.model_validate(value))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            if first["type"] != "missing":
                place += f" is {str(first['input'])[:60]!r}"
            raise ArtifactError(f"not a finding ({place}: {first['msg']}). Run its stage again.") from None

    @classmethod
    def from_body(cls, body: FindingBody) -> Self:
        """Raises ArtifactError where `body` says what no finding says."""
        why_not = body.reason or ""
        interval: Interval | Unknown = DESCRIBES
        if body.interval is not None:
            interval = Interval(**body.interval.model_dump())
        # One field holds both reasons: without a value it is the value's, with one it is the interval's.
        elif why_not and body.value is not None:
            interval = Unknown(why_not.removeprefix(_OLD_PREFIX))
        try:
            return cls(
                name=body.name,
                slice=Slice.read(body.slice),
                value=Unknown(why_not) if body.value is None else body.value,
                unit=body.unit,
                n=body.n,
                interval=interval,
                why=body.why,
                verdict=body.verdict,
                seed=body.seed,
                detail=body.detail,
            )
        except ValueError as error:
            raise ArtifactError(f"not a finding ({error}). Run its stage again.") from None


class More(TypedDict, total=False):
    """What else may be said of a finding when it is made."""

    slice: Slice
    verdict: Judgement | None
    seed: int | None
    detail: Detail
    alarm: Alarm | None


def measured(
    meaning: Meaning, value: float, *, n: int, interval: Interval | Unknown = DESCRIBES, **more: Unpack[More]
) -> Finding:
    """A known figure. Not finite becomes unknown, with the reason."""
    if not math.isfinite(value):
        more["verdict"] = more["alarm"] = None
        return unknown(meaning, "the computed value is not finite", n=n, **more)
    return Finding(
        name=meaning.name, value=float(value), unit=meaning.unit, n=n, interval=interval, why=meaning.why, **more
    )


def unknown(meaning: Meaning, reason: str, *, n: int = 0, **more: Unpack[More]) -> Finding:
    """A figure that could not be had, and why."""
    return Finding(name=meaning.name, value=Unknown(reason), unit=meaning.unit, n=n, why=meaning.why, **more)
