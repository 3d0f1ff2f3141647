"""tracking.json, in the folder of a seed, and a part of run.json: where a training can be followed from outside."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from assay.artifacts.body import Body

TRACKING = "tracking.json"


class TrackedBody(BaseModel):
    """One place. seed: of the training that is shown there; None: of the verdict. failed: why nothing more came there
    from some point on; None while all is well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tracker: str
    place: str | None
    seed: int | None = None
    failed: str | None = None


class TrackingBody(Body):
    """Where one seed's training is tracked."""

    SCHEMA: ClassVar[str] = "tracking/1"

    tracked: tuple[TrackedBody, ...]
