"""remedies.json: what each remedy came to on the same held-out pairs, beside none of them, and what it cost."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.pressure_body import PressureWord

REMEDIES = "remedies.json"
_PART = ConfigDict(frozen=True, extra="forbid")


class RemedyFigure(BaseModel):
    """A mean over held-out pairs or prompts, and what it is more than without a remedy, by groups and seeds.

    n: pairs or prompts. interval: None where there is none. more, more_interval: None of the row without a remedy, and
    where nothing can be compared.
    """

    model_config = _PART

    value: float
    n: int
    interval: IntervalBody | None
    more: float | None
    more_interval: IntervalBody | None


class RemedyRow(BaseModel):
    """One remedy. settings: options over those of the run without. why_not: why it was not made, None where it was.

    figures: shares of held-out pairs by name; one of which no pair can be asked is not there; elsewhere: the same of
    pairs from outside the data. probes: rates by name.
    gold: of the best of n by the reward, in gold's unit; turn, turn_words: whether gold turns on the way. pressed: gold
    of what the pressing policy found. notes: what could not be measured and why, and seeds that learned nothing.
    seconds: of training a seed, in the mean; serving: milliseconds for 1,000 rewards. passes: models run for one
    reward. pairs: trained on.
    """

    model_config = _PART

    name: str
    kind: Literal["training", "scorer"]
    settings: dict[str, JsonValue]
    why_not: str | None = None
    figures: dict[str, RemedyFigure] = {}
    elsewhere: dict[str, RemedyFigure] = {}
    probes: dict[str, RemedyFigure] = {}
    gold: RemedyFigure | None = None
    turn: PressureWord | None = None
    turn_words: str | None = None
    pressed: RemedyFigure | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    serving: float | None = None
    passes: int | None = None
    pairs: int | None = None


class BestOfBody(BaseModel):
    """How candidates were pressed. random, best: mean gold of a random answer, and of the best of n by gold itself."""

    model_config = _PART

    candidates: str
    gold: str
    n: int
    random: float
    best: float


class ElsewhereBody(BaseModel):
    """Pairs from outside the data. left_out: not among them, since their prompts stand in the data."""

    model_config = _PART

    path: str
    pairs: int
    left_out: int


class SearchBody(BaseModel):
    """The search that every remedy got. answers: tried a prompt at most. start: mean gold before any change."""

    model_config = _PART

    world: str
    agents: str
    prompts: int
    answers: int
    seed: int
    start: float | None


class RemediesBody(Body):
    """The table; held_out: pairs with a winner that every figure is of, or a part of. Rows in the order asked.

    simulated: whether the data are. processes: that measured remedies at once, on whose company seconds depend.
    """

    SCHEMA: ClassVar[str] = "remedies/2"

    command: str
    data: str
    simulated: bool
    base: str
    seeds: tuple[int, ...]
    held_out: int
    level: float
    elsewhere: ElsewhereBody | None
    best_of: BestOfBody | None
    search: SearchBody | None
    processes: int
    rows: tuple[RemedyRow, ...]
    versions: dict[str, str | None]
    assay_version: str
