"""The reward as an Objective, and train_reward: pairs in, a saved reward model out.

The loop, checkpoints and files are those of every method (train/seed_run.py). Knows pairs, rewards and losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import torch
from pydantic import JsonValue
from torch import Tensor, nn

from assay.artifacts.train_body import SelfCheckBody
from assay.config import StageConfig
from assay.engine.micro_batches import Layout
from assay.errors import ConfigError, EmptyBatchError
from assay.models.config import ModelConfig
from assay.models.local_model import LocalModel
from assay.models.resolve import resolve
from assay.records import Pair, PairScore
from assay.render.encoder import Encoded
from assay.render.length_gate import RenderedPairs
from assay.rewards.length_head import without_length_head
from assay.rewards.reward_model import RewardModel
from assay.train import pair_figures, reward_checks
from assay.train.batches import distinct_rows
from assay.train.compile_choice import Compiling
from assay.train.config import LossConfig, RegulariseConfig, StoppingConfig, TrainConfig
from assay.train.early_stopping import Validation
from assay.train.experiment import Experiment, hash_pairs
from assay.train.launched import held
from assay.train.losses.targets import pair_losses
from assay.train.objective import AnyObjective, Losses, Seen
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.precision_choice import PrecisionChoice, choose, stored_in
from assay.train.progress import Progress, display
from assay.train.regularise_checks import check_regularise
from assay.train.regularised import Regulariser, regulariser_of
from assay.train.result import TrainResult
from assay.train.reworded import reworded_rows
from assay.train.seed_run import Seed, train_seed


@dataclass(frozen=True, slots=True)
class RewardObjective:
    """Pairs whose chosen answer is to have the higher reward; an Objective. Letters: B pairs, N distinct rows."""

    reward_model: RewardModel
    examples: Sequence[PairExample]
    held_out: Sequence[PairExample]
    held_out_pairs: Sequence[Pair]
    loss: LossConfig
    config: TrainConfig
    regulariser: Regulariser | None = None

    @property
    def model(self) -> nn.Module:
        return self.reward_model.model

    def on(self, model: nn.Module) -> RewardObjective:
        same = RewardModel(model, self.reward_model.renderer, origin=self.reward_model.origin)
        return replace(self, reward_model=same, regulariser=None)

    def head(self) -> dict[str, nn.Parameter]:
        return reward_checks.head_parameters(self.model)

    def layout(self, batch: Sequence[PairExample]) -> Layout:
        rows, half = [row for one in batch for row in one.rows], self.config.precision == "bf16"
        with torch.autocast(self.reward_model.device.type, torch.bfloat16, enabled=half):  # as the pass will run
            return self.reward_model.layout(rows, sharing=self.config.sharing)

    def forward(self, rows: Sequence[Encoded]) -> Tensor:
        return self.reward_model.rewards(rows, sharing=self.config.sharing)

    def losses(
        self, batch: Sequence[PairExample], among: Sequence[PairExample] = (), whole: Sequence[PairExample] = ()
    ) -> Losses:
        if self.regulariser is not None:
            return self.regulariser.losses(batch, among, self.loss)
        # An answer that stands in several pairs is run once, and each pair's gradient reaches it by its place.
        rows, places = distinct_rows([one.chosen for one in batch] + [one.rejected for one in batch])
        rewards_N = self.forward(rows).float()
        sides_2B = rewards_N if len(rows) == len(places) else rewards_N[torch.tensor(places, device=rewards_N.device)]
        if sides_2B.ndim > 1:
            # A head an objective: each pair is ordered by its own, and no other head gets a gradient from it.
            heads_2B = torch.tensor([one.head for one in batch] * 2, device=rewards_N.device)
            sides_2B = sides_2B.gather(1, heads_2B[:, None])[:, 0]
        chosen_B, rejected_B = sides_2B.chunk(2)
        loss_B = pair_losses(chosen_B, rejected_B, [one.target for one in batch], self.loss)
        return Losses(loss_B=loss_B, figures={"chosen": chosen_B, "rejected": rejected_B})

    def step_figures(self, seen: Sequence[Seen]) -> dict[str, float]:
        return pair_figures.step_figures(seen)

    def scores(self, share: Sequence[PairExample]) -> list[PairScore]:
        rows, places = distinct_rows([one.chosen for one in share] + [one.rejected for one in share])
        rewards_N = self.reward_model.score(rows, micro_tokens=self.config.micro_tokens, sharing=self.config.sharing)
        sides = [
            float(rewards_N[place] if rewards_N.ndim == 1 else rewards_N[place, one.head])
            for place, one in zip(places, [*share, *share], strict=True)
        ]
        return [
            PairScore(pair_id=one.name, chosen=chosen, rejected=rejected)
            for one, chosen, rejected in zip(share, sides[: len(share)], sides[len(share) :], strict=True)
        ]

    def evaluate(self, scores: Sequence[PairScore]) -> dict[str, int | float | None]:
        return pair_figures.held_out_figures(scores, self.held_out_pairs)

    def save(self, folder: Path, *, provenance: Mapping[str, JsonValue]) -> None:
        with without_length_head(self.model):
            self.reward_model.save(folder, provenance=dict(provenance))

    def self_check(self, folder: Path) -> dict[str, SelfCheckBody]:
        return reward_checks.self_check(folder, self.reward_model, self.held_out or self.examples)


class Recipe(TypedDict, total=False):
    """How to train. precision, compiling: chosen for all seeds of a run, in place of what `config` asks for.

    validation: pairs apart from those trained on and those held out, by which `stopping` ends training.
    """

    model: ModelConfig
    loss: LossConfig
    config: TrainConfig
    regularise: RegulariseConfig
    stopping: StoppingConfig
    validation: Sequence[Pair]
    precision: PrecisionChoice
    compiling: Compiling


def train_reward(
    train_pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    *,
    seed: int = 0,
    out: Path | str,
    progress: Callable[[Progress], None] | None = None,
    rendered: RenderedPairs | None = None,
    **recipe: Unpack[Recipe],
) -> TrainResult:
    """Train one seed into the folder `out`: model/, metrics.jsonl, scores.jsonl, train.json.

    recipe: model=ModelConfig(...), loss=LossConfig(...), config=TrainConfig(...), regularise=RegulariseConfig(...);
    left out, they take their defaults. stopping=StoppingConfig(patience=2) with validation=[pairs apart from both]
    ends training where their loss gets no better, and the model is the best that was seen.
    progress: called with a Progress at every step; None shows a bar on a terminal and plain lines elsewhere.
    rendered: rows of pairs as the length gate made them for this base; what is there is not tokenised again.
    Killed anywhere, the next call goes on and ends with the same weights; finished, it returns what is there.
    Raises EmptyBatchError without training pairs, InputError for rows over max_tokens, ArtifactError if `out` belongs
    to another recipe, data or base, TrainingError for a loss that is not finite or a self-check that fails, ConfigError
    for what does not go together.
    """
    if not train_pairs:
        raise EmptyBatchError("There are no training pairs. Look into rejects.jsonl for why rows were rejected.")
    config = recipe.get("config", TrainConfig())
    precision = recipe.get("precision") or choose(config.precision, stored=stored_in(Path(out)))
    asked = Asked.of(recipe, config.model_copy(update={"precision": precision.used}), seed)
    base = resolve(asked.model.base, asked.model.revision)
    check_regularise(asked.regularise, asked.model, kind=base.kind, in_parts=held().in_parts)
    seed_to_train = Seed(
        asked.experiment(base.fingerprint, train_pairs, held_out),
        Path(out),
        asked.config,
        precision,
        base_name=base.name,
        compiling=recipe.get("compiling", Compiling()),
        validation=None if asked.stopping.patience is None else lambda made: asked.validated(made, rendered),
    )
    return train_seed(
        seed_to_train, lambda: asked.objective(base, train_pairs, held_out, rendered), notify=progress or display()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A recipe with all its defaults, and what it makes of a base and pairs."""

    model: ModelConfig
    loss: LossConfig
    config: TrainConfig
    regularise: RegulariseConfig
    stopping: StoppingConfig
    validation: Sequence[Pair]
    seed: int

    @classmethod
    def of(cls, recipe: Recipe, config: TrainConfig, seed: int) -> Asked:
        """Raises ConfigError for validation pairs without early stopping, and the other way round."""
        asked = cls(
            model=recipe.get("model", ModelConfig()),
            loss=recipe.get("loss", LossConfig()),
            config=config,
            regularise=recipe.get("regularise", RegulariseConfig()),
            stopping=recipe.get("stopping", StoppingConfig()),
            validation=recipe.get("validation", ()),
            seed=seed,
        )
        if (asked.stopping.patience is None) == bool(asked.validation):
            raise ConfigError(
                "stopping.patience and validation pairs need each other: early stopping goes by a slice of its own. "
                "Give both or neither."
            )
        return asked

    def experiment(self, base: str, train_pairs: Sequence[Pair], held_out: Sequence[Pair]) -> Experiment:
        options: dict[str, StageConfig] = {"model": self.model, "loss": self.loss, "train": self.config}
        data = {"train": hash_pairs(train_pairs), "held_out": hash_pairs(held_out)}
        # Not told where it is not asked for: such a seed is the experiment it was before there was anything to tell.
        if self.regularise != RegulariseConfig():
            options["regularise"] = self.regularise
        if self.stopping.patience is not None:
            options["stopping"] = self.stopping
            data["validation"] = hash_pairs(self.validation)
        return Experiment(options=options, seed=self.seed, base=base, data=data)

    def objective(
        self, base: LocalModel, train_pairs: Sequence[Pair], held_out: Sequence[Pair], rendered: RenderedPairs | None
    ) -> RewardObjective:
        reward_model = RewardModel.from_base(self.model, seed=self.seed)
        examples, held = (self._examples(pairs, reward_model, rendered) for pairs in (train_pairs, held_out))
        if self.regularise.consistency:
            rules, most = self.regularise.consistency_rules, self.model.max_tokens
            again = reworded_rows(train_pairs, reward_model.renderer, rules=rules, max_tokens=most, seed=self.seed)
            examples = [replace(one, reworded=other) for one, other in zip(examples, again, strict=True)]
        return RewardObjective(
            reward_model,
            examples,
            held,
            held_out_pairs=held_out,
            loss=self.loss,
            config=self.config,
            regulariser=regulariser_of(reward_model, base, self.regularise, self.config, seed=self.seed),
        )

    def validated(self, made: AnyObjective, rendered: RenderedPairs | None) -> Validation:
        """Early stopping by the loss of the pairs alone: nothing that stands beside it, and no centring."""
        assert isinstance(made, RewardObjective)
        assert self.stopping.patience is not None
        examples = self._examples(self.validation, made.reward_model, rendered)
        loss = self.loss.model_copy(update={"centring": 0.0})
        weight_B = torch.tensor([one.weight for one in examples])

        def mean_loss(scores: Sequence[PairScore]) -> float:
            chosen_B, rejected_B = torch.tensor([(one.chosen, one.rejected) for one in scores]).T
            loss_B = pair_losses(chosen_B, rejected_B, [one.target for one in examples], loss)
            return float((loss_B * weight_B).sum() / weight_B.sum())

        return Validation(examples=examples, loss=mean_loss, patience=self.stopping.patience)

    def _examples(
        self, pairs: Sequence[Pair], reward_model: RewardModel, rendered: RenderedPairs | None
    ) -> list[PairExample]:
        return pair_examples(
            pairs,
            reward_model.renderer,
            loss=self.loss,
            max_tokens=self.model.max_tokens,
            rendered=rendered,
            heads=self.model.heads,
        )
