"""What became of the training side of a split before training, in run.json: pairs left out, set apart, and made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TrainingPairsBody(BaseModel):
    """split: pairs on the training side; trained: pairs trained on, those that were made among them.

    left_out: not trained on, by reason. suspected_held_out, suspected_unknown: rows of the file of suspected labels
    that are held out, and stay, or that no pair belongs to. validation: set apart for early stopping. made: by kind;
    made_wanted: how many were asked for; made_dropped: made, but not to be rendered within the limit, by reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: int
    left_out: dict[str, int]
    suspected_held_out: int
    suspected_unknown: int
    validation: int
    made: dict[str, int]
    made_wanted: int
    made_dropped: dict[str, int]
    trained: int
