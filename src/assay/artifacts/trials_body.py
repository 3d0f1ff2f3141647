"""trials.json: settings tried on a validation slice of the training groups, and the one the run was trained with."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import IntervalBody

_PART = ConfigDict(frozen=True, extra="forbid")


class TrialBody(BaseModel):
    """One setting, trained on the rest of the training pairs. settings: options by name. accuracy: on the slice.

    chosen_change, rejected_change: of log-probabilities, in nats an answer. kl: from the base, None where not measured.
    """

    model_config = _PART

    name: str
    settings: dict[str, JsonValue]
    accuracy: float
    interval: IntervalBody | None
    margin: float
    chosen_change: float
    rejected_change: float
    kl: float | None
    pairs: int
    seconds: float


class TrialsBody(Body):
    """key: hash of what the trials depend on. trained, validation: pairs of the two parts of the training groups.

    choice: the setting taken, by name; None while trials are under way. why: by which rule.
    """

    SCHEMA: ClassVar[str] = "trials/1"

    key: str
    trained: int
    validation: int
    trials: tuple[TrialBody, ...]
    choice: str | None
    why: str
