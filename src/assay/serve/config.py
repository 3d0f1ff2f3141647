"""Options of `assay serve`: under `serve` in a --config file, after --set."""

from __future__ import annotations

from pydantic import Field

from assay.config import StageConfig
from assay.serve.watch.config import WatchConfig


class ServeConfig(StageConfig):
    """How requests are put together, and what a client may ask. No credentials: those stand in the environment only."""

    batch_tokens: int | None = Field(
        None, ge=1, description="distinct tokens run together; null: four forward passes of this device"
    )
    quiet: float = Field(
        0.002, ge=0, le=1, description="seconds without a new request after which an unfilled batch is run"
    )
    queue_rows: int = Field(4096, ge=1, description="rows that may wait; more are refused with 429 and Retry-After")
    queue_tokens: int = Field(1_000_000, ge=1, description="tokens that may wait, as far as they are known beforehand")

    body_bytes: int = Field(16 * 2**20, ge=1024, description="bytes of one request")
    rows: int = Field(1024, ge=1, description="rows in one request")
    body_seconds: float = Field(30.0, gt=0, description="seconds until the whole body of a request is there")
    header_seconds: float = Field(10.0, gt=0, description="seconds until a connection has sent the head of a request")
    connections: int = Field(1024, ge=1, description="connections at once; more are told 503")
    drain_seconds: float = Field(60.0, ge=0, description="seconds that requests under way are given at the end")
    gate_seconds: float = Field(2.0, gt=0, description="seconds between two looks at the gate's file")
    watch: WatchConfig = WatchConfig()
