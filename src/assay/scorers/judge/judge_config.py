"""What a judge's file may say, and the judge that `judge:FILE.yaml` or `judge:MODEL` names.

Credentials are named, never written: `key_env` is the environment variable that holds one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from assay.config import StageConfig, load_config
from assay.endpoints.address import server_address
from assay.errors import ConfigError

Mode = Literal["pairwise", "score", "probability"]
FILES = {".yaml", ".yml"}


class JudgeConfig(StageConfig):
    """A judge.

    model: as the endpoint calls it; without an endpoint a model that runs here: a folder, a name of `assay models`, a
    hub id. endpoint: base address of an OpenAI-compatible server, such as http://localhost:8000/v1. mode: pairwise
    (both orders), score (a number for each answer) or probability (log-odds of one token over another). read: pairwise,
    by what it writes or by the likelier of two tokens; an endpoint's come from its logprobs. votes: times each question
    is put, each with its own seed. prompt: a file beside this one; none: assay's own for the mode. parse: a regular
    expression in place of the prompt file's. key_env: the environment variable with the endpoint's key; none: no key
    is sent. most_tokens: of a reply. seconds: for one whole reply. cache: a folder for replies; none: in assay's own
    cache. max_requests: that go out in all, further tries included; of a model here, questions asked.
    """

    model: str = Field(min_length=1)
    endpoint: str | None = None
    mode: Mode = "pairwise"
    read: Literal["text", "token"] = "text"
    votes: int = Field(default=1, ge=1, le=101)
    seed: int = Field(default=0, ge=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    prompt: Path | None = None
    parse: str | None = None
    scale: tuple[float, float] = (1.0, 10.0)
    key_env: str | None = None
    most_tokens: int = Field(default=1024, ge=1)
    seconds: float = Field(default=120.0, gt=0)
    retries: int = Field(default=3, ge=0, le=10)
    concurrency: int = Field(default=8, ge=1, le=256)
    cache: Path | None = None
    max_requests: int | None = Field(default=None, ge=1)
    device: str = "auto"

    @classmethod
    def of(cls, argument: str) -> Self:
        """The configuration that `judge:argument` names.

        A model's name alone is that model on this machine, pairwise, read by token. Raises ConfigError.
        """
        if Path(argument).suffix not in FILES:
            if not argument.strip():
                raise ConfigError("judge: names no judge. Give judge:FILE.yaml, or judge:MODEL such as judge:smollm2.")
            return cls(model=argument, read="token")
        path = Path(argument).expanduser()
        found = load_config(cls, file=path)
        found.checked(path)
        return found.beside(path)

    def beside(self, path: Path) -> Self:
        """The same with its paths beside `path`, the file that holds them, wherever the command is run."""
        return self.model_copy(
            update={
                name: path.parent / place.expanduser()
                for name, place in (("prompt", self.prompt), ("cache", self.cache))
                if place is not None
            }
        )

    def checked(self, path: Path) -> None:
        """Raises ConfigError for values that do not go together."""
        by_token = self.mode == "probability" or (self.mode == "pairwise" and self.read == "token")
        why = None
        if self.endpoint is None and self.votes > 1:
            why = "votes: a model on this machine writes its likeliest reply, so every vote would be the same. Leave it"
        elif self.endpoint is None and self.key_env is not None:
            why = "key_env: without an endpoint nothing is asked for a key. Leave it out, or name the endpoint"
        elif self.votes > 1 and by_token:
            why = "votes: a token's probability is the same at every vote. Leave it out, or judge by words"
        elif self.votes > 1 and self.temperature == 0:
            why = "temperature: at 0 every vote is the same. Give one above 0, or votes: 1"
        elif self.scale[0] >= self.scale[1]:
            why = f"scale: {self.scale[0]:g} is not below {self.scale[1]:g}. Give the lowest score and the highest"
        if why is not None:
            raise ConfigError(f"{path}: {why}.")
        if self.endpoint is not None:
            where, example = f"{path}: endpoint", "http://localhost:8000/v1"
            server_address(self.endpoint, option=where, example=example, credential="the variable that key_env names")

    @property
    def by_token(self) -> bool:
        """Whether verdicts are probabilities of tokens rather than words."""
        return self.mode == "probability" or (self.mode == "pairwise" and self.read == "token")

    @property
    def heat(self) -> float:
        """The temperature asked for: 0 for one vote, 0.7 for several, unless the file says otherwise."""
        return self.temperature if self.temperature is not None else (0.0 if self.votes == 1 else 0.7)
