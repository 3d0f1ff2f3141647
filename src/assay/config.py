"""One frozen model per stage; YAML in, flags over it. Knows the options; knows not what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)

from assay.errors import ConfigError

C = TypeVar("C", bound="StageConfig")


class StageConfig(BaseModel):
    """Base of all stage configurations: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def build(cls, values: Mapping[str, Any]) -> Self:
        """Validate `values`. Raises ConfigError that names the field, what it got and what it takes."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            told = "; ".join(cls.explained(issue) for issue in error.errors())
            raise ConfigError(f"Configuration not usable: {told}.") from None

    @classmethod
    def explained(cls, issue: Mapping[str, Any]) -> str:
        """One of pydantic's complaints in our words; for an unknown key, the keys there are."""
        place = ".".join(map(str, issue["loc"])) or cls.__name__
        if issue["type"] != "extra_forbidden":
            return f"{place}: {issue['msg']} (got {issue['input']!r})"
        stage: type[BaseModel] = cls
        for part in issue["loc"][:-1]:
            inner = stage.model_fields[part].annotation if part in stage.model_fields else None
            if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                return f"{place} is no option (got {issue['input']!r})"
            stage = inner
        near = get_close_matches(str(issue["loc"][-1]), stage.model_fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"{place} is no option (got {issue['input']!r}){hint} Known keys here: {', '.join(stage.model_fields)}"


class DataConfig(StageConfig):
    """How rows become pairs."""

    layout: str = Field("auto", description="a layout by name, or auto to recognise it from the first rows")
    columns: dict[str, str] = Field(default_factory=dict, description="our field = your column")
    labels: dict[str, str] = Field(
        default_factory=dict, description="your label = left, right, tie or abstain; numbers need it"
    )
    split: str | None = Field(None, description="split of a datasets folder or hub id (train when unset)")
    min_agreement: float = Field(
        0.6, ge=0.5, le=1.0, description="majority share of votes below which a pair is for review"
    )
    ties: Literal["review", "keep"] = Field("review", description="keep: ties become pairs labelled tie")
    near_duplicates: float | None = Field(0.8, gt=0, le=1, description="Jaccard of prompts; null: do not look")
    seed: int = 0


class SplitConfig(StageConfig):
    """The grouped, stratified, exact-size split."""

    holdout: PositiveInt = Field(1000, description="pairs held out, exactly")
    rounding: Literal["exact", "nearest"] = Field(
        "exact", description="nearest: where whole groups cannot make holdout, the closest size they can"
    )
    seed: int = 0


class ModelConfig(StageConfig):
    """The base model and how it is tuned."""

    base: str = Field("minilm", description="catalogue name, Hugging Face id or folder")
    revision: str | None = None
    max_tokens: PositiveInt = Field(512, description="longest rendered row; longer pairs are dropped, never cut")
    tuning: Literal["full", "lora", "qlora"] = "full"
    lora_rank: PositiveInt = 16
    lora_alpha: PositiveInt = 32
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    dropout: float | None = Field(None, ge=0, lt=1, description="dropout of the trunk; null keeps the base's own")


class LossConfig(StageConfig):
    """The loss on reward margins."""

    kind: Literal["bradley_terry", "rao_kupper"] = "bradley_terry"
    tie_threshold: NonNegativeFloat = Field(
        0.5, description="Rao-Kupper: log theta, the margin within which ties are likely"
    )
    margin: Literal["ignore", "subtract"] = Field("ignore", description="subtract the stated margin inside the sigmoid")
    targets: Literal["hard", "votes"] = Field("hard", description="votes: share of votes for chosen")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    centring: NonNegativeFloat = Field(0.01, description="coefficient on the mean of (chosen + rejected) squared")


class TrainConfig(StageConfig):
    """One training run of a reward model."""

    seeds: tuple[NonNegativeInt, ...] = Field((0,), min_length=1, description="one model for each; 0, 1, ...")
    epochs: PositiveFloat = 2.0
    learning_rate: PositiveFloat = 5e-5
    head_learning_rate: PositiveFloat | None = Field(None, description="of the reward head; null: the same")
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = Field(0.06, ge=0, lt=1, description="share of the steps")
    weight_decay: NonNegativeFloat = 0.01
    max_grad_norm: PositiveFloat = 1.0
    batch_pairs: PositiveInt = Field(32, description="pairs per optimiser step, drawn at random")
    micro_tokens: PositiveInt | None = Field(
        None, description="tokens per forward pass, padding included; null: 2,048 on a CPU, 16,384 on a GPU"
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="auto: bf16 where this machine is measured to multiply it clearly faster, else float32"
    )
    gradient_checkpointing: Literal["off", "on"] = "off"
    compile: Literal["off", "on"] = Field("off", description="the trunk's layers through torch.compile")
    sharing: Literal["on", "off"] = Field("on", description="run each token of a shared prompt once where possible")
    save_every: PositiveInt = Field(100, description="optimiser steps between checkpoints")
    eval_every: PositiveInt | None = Field(None, description="steps between held-out evaluations; null: each epoch")
    report_to: tuple[str, ...] = ()

    @field_validator("seeds")
    @classmethod
    def once_each(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands twice, and would count as two draws")
        return seeds


class AuditConfig(StageConfig):
    """The audit of any scorer on labelled pairs."""

    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of every interval")
    resamples: PositiveInt = 2000
    length_tolerance: float = Field(0.1, ge=0, lt=1, description="length-matched: within this share of each other")
    mistakes: PositiveInt = 20
    seed: int = 0


class RewardConfig(StageConfig):
    """The whole reward flow."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    train: TrainConfig = TrainConfig()
    audit: AuditConfig = AuditConfig()
    criteria: str | None = Field(None, description="YAML file of gate criteria; null: the built-in ones")


class OnceLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error: the first of its values would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """The value of a YAML text. Raises yaml.YAMLError, also where a key stands twice."""
    return yaml.load(text, OnceLoader)  # a SafeLoader


def load_config(kind: type[C], *, file: Path | None = None, sets: Iterable[str] = ()) -> C:
    """A configuration from a YAML file with `key.sub=value` settings over it (values are YAML).

    Raises ConfigError that names the file and line, or the setting.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            loaded = read_yaml(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"{file}: cannot be read as YAML: {error}") from None
        if loaded is not None and not isinstance(loaded, dict):
            raise ConfigError(f"{file}: expected keys and values, found a {type(loaded).__name__}.")
        values = loaded or {}
    for setting in sets:
        merge_setting(values, setting)
    return kind.build(values)


def merge_setting(values: dict[str, Any], setting: str) -> None:
    """Put one `key.sub=value` into nested `values`."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f'--set {setting!r}: expected key=value, such as "train.epochs=2".')
    *path, last = key.strip().split(".")
    place = values
    for part in path:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {setting!r}: {part} is a value, not a group of options.")
        place = inner
    try:
        place[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting!r}: the value is not YAML ({error}).") from None
