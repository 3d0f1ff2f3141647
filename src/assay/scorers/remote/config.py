"""Options of a remote scorer: under `remote` in a --config file, after --set, or in `remote:FILE.yaml`."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, field_validator

from assay.config import StageConfig

Kind = Literal["vllm", "sglang", "tei", "openrlhf"]
Route = Literal["classify", "pooling", "embeddings", "predict", "get_reward"]
OFF: Final = "off"


class RemoteConfig(StageConfig):
    """Where rewards come from and how they are asked for. No credentials: those stand in the environment only."""

    kind: Kind | None = Field(None, description="the server: vllm, sglang, tei or openrlhf")
    url: str | None = Field(None, description="http://host:port, with the path that stands before the route if any")
    model: str | None = Field(None, description="the model's name at the server; null: the only one it serves")
    route: Route | None = Field(None, description="null: the server's first that gives raw rewards")
    revision: str | None = Field(None, description="your name for the weights behind the url; a new one scores anew")

    tokenizer: str | None = Field(
        None, description="folder (or hub id) of the model's tokenizer and chat template: rows are rendered here"
    )
    template: str | None = Field(None, description="a file of jinja over the tokenizer's own, or `plain`")
    label: int | str | None = Field(None, description="which output is the reward, where the model has several")
    row_tokens: int | None = Field(None, ge=1, description="longer rows are left unscored (needs tokenizer)")

    batch: int = Field(1, ge=1, le=1024, description="rows in one request; servers batch across requests themselves")
    concurrency: int = Field(32, ge=1, le=1024, description="requests under way at once")
    timeout: float = Field(60.0, gt=0, description="seconds one try may take, from connecting to the last byte")
    retries: int = Field(4, ge=0, le=100, description="tries after the first, at 429, 5xx, time-outs, broken lines")
    backoff: float = Field(0.5, ge=0, description="seconds before the second try; doubled each time, with jitter")
    longest_wait: float = Field(120.0, ge=0, description="seconds waited at most, also where Retry-After asks for more")
    give_up: int = Field(32, ge=1, description="requests that fail one after the other before the rest is left")

    max_requests: int | None = Field(None, ge=1, description="budget: requests sent, tries included")
    max_tokens: int | None = Field(None, ge=1, description="budget: tokens of the rows sent, tries included")
    max_seconds: float | None = Field(None, gt=0, description="budget: seconds since the first request")

    cache: str | None = Field(None, description="folder for rewards already had; null: this user's; off: none")

    @field_validator("cache", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return OFF if value is False else value  # YAML reads a bare `off` as false
