"""Options of watching served rewards: under `serve.watch` in a --config file, after --set."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assay.config import StageConfig


class WatchConfig(StageConfig):
    """What may be said of served rewards, how sure of it one has to be, and how much may be kept for it.

    A limit that is stated is held, or the server does not start; a rule that is not asked for says nothing.
    """

    false_alarms: float = Field(
        0.001, gt=0, lt=0.5,
        description="chance that any rule goes off though all is well, over all the time that a model is served",
    )  # fmt: skip
    drift: Literal["on", "off"] = Field("on", description="tell when served rewards are no longer what they were")
    outside: float | None = Field(
        None, gt=0, lt=1,
        description="largest share of prompts' answers outside what the reward knows; null: what calibration allows",
    )  # fmt: skip
    above: float | None = Field(
        None, gt=0, lt=1, description="largest share of rewards above 95% of the training's held-out ones"
    )
    below: float | None = Field(
        None, gt=0, lt=1, description="largest share of rewards below 95% of the training's held-out ones"
    )
    too_long: float | None = Field(None, gt=0, lt=1, description="largest share of rows refused as too long")
    refused: float | None = Field(
        None, gt=0, lt=1, description="largest share of rows without a reward, for any reason"
    )
    fit_rows: int = Field(
        64, ge=0, description="rows of a batch whose distance from the known answers is measured; 0: none is"
    )
    sample: int = Field(65_536, ge=100, description="rewards kept at random of all, for quantiles")
    recent: int = Field(4096, ge=10, description="rewards kept of the last")
    queue_rows: int = Field(65_536, ge=1, description="rows that may wait to be watched; more are counted, no more")
    snapshot_groups: int = Field(1_000_000, ge=1, description="groups in one file of a snapshot")
