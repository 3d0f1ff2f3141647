"""The options of tuning a policy on pairs: the loss, what is watched, what is tried first; and of the whole flow."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import (
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from assay.audits.config import AuditConfig
from assay.config import StageConfig
from assay.data.config import DataConfig, SplitConfig
from assay.models.config import ModelConfig
from assay.train.config import TrainConfig

LossType = Literal[
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
]  # fmt: skip
FDivergence = Literal["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"]
Remedy = Literal["drop_ches", "sft", "lower_rate"]
REMEDIES: tuple[Remedy, ...] = get_args(Remedy)
# What is left of beta log Z(x) cancels in these losses only, for a divergence that is not the reverse KL (TRL's rule).
ANY_DIVERGENCE = frozenset({"sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop", "sft"})
WHOLE_BATCH = frozenset({"aot", "aot_unpaired"})  # they sort the pairs of a batch


class DpoConfig(StageConfig):
    """The loss, under TRL's names, and the two remedies that are part of it and of its data."""

    loss_type: tuple[LossType, ...] = Field(("sigmoid",), min_length=1, description="one of TRL's, or several, added")
    loss_weights: tuple[PositiveFloat, ...] | None = Field(None, description="of each of them; null: 1 each")
    beta: float = Field(0.1, description="how strongly the policy is held to its reference; above 0")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="probability that a label is wrong")
    f_divergence_type: FDivergence = "reverse_kl"
    f_alpha_divergence_coef: float = 0.5
    discopop_tau: PositiveFloat = 0.05
    ld_alpha: float | None = Field(
        None, ge=0, le=1, description="weight of tokens beyond the shorter answer's length (LD-DPO); null: 1"
    )
    rpo_alpha: NonNegativeFloat = Field(0.0, description="weight of an SFT term on chosen answers, beside the loss")
    drop_ches: float = Field(
        0.0, ge=0, lt=1, description="share of the training pairs left out: those with the highest CHES scores"
    )
    reference_store: str | None = Field(
        None, description="folder of stored reference log-probabilities; null: reference/ in the run folder"
    )

    @field_validator("beta")
    @classmethod
    def held_to_the_reference(cls, beta: float) -> float:
        if not 0 < beta < float("inf"):
            raise ValueError(
                "beta must be above 0: at 0 nothing holds the policy to its reference and every implicit reward is 0; "
                "0.01 to 0.5 is usual"
            )
        return beta

    @model_validator(mode="after")
    def fits_together(self) -> DpoConfig:
        if self.loss_weights is not None and len(self.loss_weights) != len(self.loss_type):
            raise ValueError(f"{len(self.loss_weights)} loss_weights for {len(self.loss_type)} losses in loss_type")
        if "exo_pair" in self.loss_type and self.label_smoothing == 0:
            raise ValueError("exo_pair needs label_smoothing above 0; its paper takes 0.001")
        wrong = sorted(set(self.loss_type) - ANY_DIVERGENCE)
        if self.f_divergence_type != "reverse_kl" and wrong:
            raise ValueError(f"{', '.join(wrong)} is only defined with f_divergence_type=reverse_kl")
        return self

    @property
    def terms(self) -> tuple[tuple[LossType, float], ...]:
        """Losses and their weights, the SFT term among them."""
        weights = self.loss_weights or (1.0,) * len(self.loss_type)
        terms = tuple(zip(self.loss_type, weights, strict=True))
        return (*terms, ("sft", self.rpo_alpha)) if self.rpo_alpha else terms


class WatchConfig(StageConfig):
    """What the policy writes while it is trained: how far it has gone from its base, and how long its answers are."""

    prompts: str | None = Field(None, description="file of fresh prompts; null: prompts of held-out pairs")
    fresh: int = Field(16, ge=0, description="prompts answered at each evaluation; 0: none")
    answers: PositiveInt = Field(1, description="answers to each")
    max_new_tokens: PositiveInt = 64
    seed: int = 0


class FreshStudyConfig(StageConfig):
    """The blind study that a run ends with: base and tuned policy answer the same fresh prompts, drawn alike."""

    prompts: str | None = Field(None, description="file of fresh prompts; null: no study is written")
    editors: NonNegativeInt = Field(3, description="people who judge, called editor-1, editor-2, ...")
    simulated: tuple[str, ...] = Field((), description="names of programs that judge, and are never counted as people")
    max_new_tokens: PositiveInt = Field(256, description="of an answer")
    temperature: NonNegativeFloat = 1.0
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, ge=0, description="of the answers")
    attention: str | None = Field(None, description="file of own attention items, as for `assay study create`")
    url: str = Field("http://127.0.0.1:8321", description="where editors reach the server; goes into their links")
    plan: dict[str, JsonValue] = Field(
        default_factory=dict, description="options of the plan by name, as --set has them for `assay study create`"
    )


class TrialsConfig(StageConfig):
    """Settings tried on a validation slice of the training groups, before the run is trained with the best."""

    sweep: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="values to try by option, every combination: beta, learning_rate"
    )
    remedy: tuple[Remedy, ...] = Field((), description="remedies against falling log-probabilities, each tried alone")
    validation: PositiveInt = Field(200, description="pairs of the slice, about")
    epochs: PositiveFloat | None = Field(None, description="of each trial; null: as the run's")
    drop_ches: float = Field(0.1, gt=0, lt=1, description="what the remedy drop_ches leaves out")
    rpo_alpha: PositiveFloat = Field(1.0, description="the SFT term of the remedy sft")
    lower_rate: float = Field(0.3, gt=0, lt=1, description="what the remedy lower_rate multiplies the rate by")
    seed: int = 0

    @field_validator("sweep")
    @classmethod
    def known(cls, sweep: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for name, values in sweep.items():
            if name not in SWEPT:
                raise ValueError(f"{name} cannot be swept; {', '.join(SWEPT)} can")
            if not values or any(not value > 0 for value in values):
                raise ValueError(f"{name}: give values above 0")
        return sweep


SWEPT = ("beta", "learning_rate")


class PolicyModelConfig(ModelConfig):
    """The base that is tuned: a decoder with a chat template."""

    base: str = Field("smollm2", description="catalogue name, Hugging Face id or folder of a language model")
    max_tokens: PositiveInt = Field(1024, description="longest rendered row; longer pairs are dropped, never cut")
    template: str | None = Field(
        None, description="chat template where the base has none: a file of jinja, or plain for assay's own lines"
    )


class PolicyTrainConfig(TrainConfig):
    """One training run of a policy."""

    epochs: PositiveFloat = 1.0
    learning_rate: PositiveFloat = 5e-6
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps")
    weight_decay: NonNegativeFloat = 0.0


class PolicySplitConfig(SplitConfig):
    """The grouped, stratified, exact-size split."""

    holdout: PositiveInt = Field(300, description="pairs held out, exactly")


class DpoRunConfig(StageConfig):
    """The whole flow from pairs to a tuned policy and its held-out figures."""

    data: DataConfig = DataConfig()
    split: PolicySplitConfig = PolicySplitConfig()
    model: PolicyModelConfig = PolicyModelConfig()
    dpo: DpoConfig = DpoConfig()
    watch: WatchConfig = WatchConfig()
    trials: TrialsConfig = TrialsConfig()
    train: PolicyTrainConfig = PolicyTrainConfig()
    audit: AuditConfig = AuditConfig()
    study: FreshStudyConfig = FreshStudyConfig()
    criteria: str | None = Field(None, description="YAML file of gate criteria; null: the built-in dpo-held-out")
