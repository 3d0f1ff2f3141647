"""Whether a seed learned anything, by its own training loss: that of a reward which gives every answer the same.

Such a reward guesses, and pays ln 2 nats a pair under the Bradley-Terry loss whatever the labels are. Knows
metrics.jsonl and the options of the loss; knows no model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from assay.train.config import LossConfig

GUESSING = math.log(2)
NEAR = 0.01  # nats; a calibrated reward that is right on 57% of pairs is this far below guessing


def untrained(rows: Sequence[Mapping[str, object]], loss: LossConfig) -> str | None:
    """In a clause, that the last quarter of the steps lost as much as guessing does; None where they lost less.

    None as well where the loss of guessing is no constant: under Rao-Kupper and with stated margins subtracted.
    """
    if loss.kind != "bradley_terry" or loss.margin != "ignore":
        return None
    steps = [row for row in rows if isinstance(row.get("loss"), int | float)]
    last = steps[-math.ceil(len(steps) / 4) :] if steps else []
    if not last:
        return None
    found = sum(preference_loss(row, loss.centring) for row in last) / len(last)
    if not found >= GUESSING - NEAR:
        return None
    return (
        f"the training loss of the last quarter of the steps is {found:.3f}, and guessing loses {GUESSING:.3f} (ln 2): "
        "the reward is untrained and has learned nothing to speak of. Raise train.learning_rate or train.epochs, or "
        "look at the labels"
    )


def preference_loss(row: Mapping[str, object], centring: float) -> float:
    """The loss of one step without what centring adds to it, in nats: the least that it can have been.

    The mean of (chosen + rejected)^2 is 4 E[reward^2] - E[margin^2], and E[margin^2] is at least the mean margin's
    square: what is taken off is the most that the penalty can have been.
    """
    loss, mean, std, margin = (
        float(value) if isinstance(value := row.get(name), int | float) else 0.0
        # Regularised training tells apart what pairs cost and what stands beside it.
        for name in ("preference_loss" if "preference_loss" in row else "loss", "reward_mean", "reward_std", "margin")
    )
    return loss - centring * max(0.0, 4 * (mean**2 + std**2) - margin**2)
