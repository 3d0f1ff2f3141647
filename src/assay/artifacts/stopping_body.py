"""What early stopping has seen: losses on the validation slice by optimiser step. In checkpoints, and in train.json."""

from __future__ import annotations

from typing import ClassVar

from assay.artifacts.body import Body


class StoppingBody(Body):
    """losses: (step, loss in nats; None: no number). best_step: whose weights are the best, at last the model."""

    SCHEMA: ClassVar[str] = "stopping/1"

    patience: int
    losses: tuple[tuple[int, float | None], ...]
    best_step: int | None
