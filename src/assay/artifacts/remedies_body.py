"""remedies.json: what each remedy came to on the same held-out pairs, beside none of them, and what it cost."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import IntervalBody

_PART = ConfigDict(frozen=True, extra="forbid")


class RemedyFigure(BaseModel):
    """A share of held-out pairs, and what it is more than without a remedy, by pairs and seeds; None: no interval.

    n: pairs. more, more_interval: None of the row without a remedy, and where nothing can be compared.
    """

    model_config = _PART

    value: float
    n: int
    interval: IntervalBody | None
    more: float | None
    more_interval: IntervalBody | None


class RemedyRow(BaseModel):
    """One remedy. settings: options over those of the run without. why_not: why it was not made, None where it was.

    figures: by name; one of which no pair can be asked is not there. probes: rates by name. seconds: of training, all
    seeds. passes: forward passes an answer costs in serving. pairs: trained on.
    """

    model_config = _PART

    name: str
    kind: Literal["training", "scorer"]
    settings: dict[str, JsonValue]
    why_not: str | None = None
    figures: dict[str, RemedyFigure] = {}
    probes: dict[str, float] = {}
    seconds: float | None = None
    passes: int | None = None
    pairs: int | None = None


class RemediesBody(Body):
    """The table; held_out: pairs with a winner that every figure is of, or a part of. Rows in the order tried."""

    SCHEMA: ClassVar[str] = "remedies/1"

    command: str
    data: str
    base: str
    seeds: tuple[int, ...]
    held_out: int
    level: float
    rows: tuple[RemedyRow, ...]
    assay_version: str
