"""The options of the loss and of one training run."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from assay.config import StageConfig

OnOff = Literal["on", "off"]
Compile = Literal["auto", "on", "off"]
Precision = Literal["auto", "float32", "bf16"]


class LossConfig(StageConfig):
    """The loss on reward margins."""

    kind: Literal["bradley_terry", "rao_kupper"] = "bradley_terry"
    tie_threshold: NonNegativeFloat = Field(
        0.5, description="Rao-Kupper: log theta, the margin within which ties are likely"
    )
    margin: Literal["ignore", "subtract"] = Field("ignore", description="subtract the stated margin inside the sigmoid")
    targets: Literal["hard", "votes"] = Field("hard", description="votes: share of votes for chosen")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    flip_share: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="e, the share of labels known to be turned round at random; the loss is corrected for them (rDPO)",
        exclude_if=lambda share: share == 0,  # so that seeds trained before there was one are the experiment they were
    )
    centring: NonNegativeFloat = Field(0.01, description="coefficient on the mean of (chosen + rejected) squared")

    @model_validator(mode="after")
    def one_view_of_noise(self) -> Self:
        if self.flip_share and self.label_smoothing:
            raise ValueError("flip_share corrects for flips that label_smoothing would learn from: take one of them")
        return self


class RegulariseConfig(StageConfig):
    """What a reward is trained for beside its pairs; each is off by default."""

    text: float = Field(
        0.0, ge=0, lt=1, description="a: (1 - a) x the pairs' loss + a x GRM's text loss; decoders only"
    )
    text_beta: PositiveFloat = Field(0.1, description="beta of the text loss, -log sigmoid(beta x log p(chosen))")
    consistency: NonNegativeFloat = Field(
        0.0, description="coefficient on the squared change of reward when an answer is worded another way by rule"
    )
    consistency_rules: tuple[str, ...] = Field(
        ("paraphrase", "white_space", "quotes", "list_order"), description="probes that change the surface of an answer"
    )
    odin: OnOff = Field("off", description="ODIN's second head, which takes up length and is dropped when saved")
    odin_length: NonNegativeFloat = Field(1.0, description="lambda_L, on the correlations of both heads with length")
    odin_orthogonality: NonNegativeFloat = Field(1.0, description="lambda_O, on the cosine between the two heads")
    odin_spread: NonNegativeFloat = Field(
        3.0, description="standard deviation of rewards below which ODIN's slopes shrink with it; 0: as published"
    )


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
    draw: Literal["pairs", "prompts"] = Field(
        "pairs",
        description="what is drawn at random: pairs, or prompts, each with all of its pairs (InstructGPT's way)",
        exclude_if=lambda drawn: drawn == "pairs",  # as below
    )
    micro_tokens: PositiveInt | None = Field(
        None,
        description="tokens per forward pass, padding included; null: 2,048 CPU (rows side by side 4,096), 16,384 GPU",
    )
    precision: Precision = Field(
        "auto", description="auto: bf16 where this machine is measured to multiply it clearly faster, else float32"
    )
    gradient_checkpointing: OnOff = "off"
    compile: Compile = Field(
        "auto", description="the trunk's layers through torch.compile; auto: where a long run is measured to gain by it"
    )
    sharing: OnOff = Field("on", description="run each token of a shared prompt once where possible")
    keep_prompts: OnOff = Field(
        "on",
        description="run a prompt whose pairs fill several passes once for all of them, its gradients gathered",
        exclude_if=lambda switch: switch == "on",  # so that seeds trained before there was one are what they were
    )
    save_every: PositiveInt = Field(100, description="optimiser steps between checkpoints")
    eval_every: PositiveInt | None = Field(None, description="steps between held-out evaluations; null: each epoch")
    report_to: tuple[str, ...] = ()

    @field_validator("seeds")
    @classmethod
    def once_each(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands twice, and would count as two draws")
        return seeds


class StoppingConfig(StageConfig):
    """Early stopping of a reward model, on a slice of the training groups; held-out pairs choose nothing."""

    patience: PositiveInt | None = Field(
        None, description="evaluations without a better loss on the slice after which training stops; null: never"
    )
    validation: float = Field(0.1, gt=0, lt=1, description="the slice, as a share of the training pairs, about")
    seed: int = Field(0, description="of the draw of the slice")
