"""A second Objective, as small as one can be: a policy trained by DPO, to show that the loop is for any method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from assay.artifacts.train_body import SelfCheckBody
from assay.engine.logprobs import completion_logprobs
from assay.engine.micro_batches import Layout
from assay.records import Pair, PairScore
from assay.render.encoder import Encoded, Renderer
from assay.train import TrainResult, pair_figures
from assay.train.batches import cut
from assay.train.config import LossConfig, TrainConfig
from assay.train.experiment import Experiment, hash_pairs
from assay.train.losses.preference import bradley_terry_losses
from assay.train.objective import Losses, Seen
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.precision_choice import choose, stored_in
from assay.train.progress import Progress
from assay.train.seed_run import Seed, train_seed
from tests.support import tiny_bases as tiny

BETA = 0.5


@dataclass(frozen=True, slots=True)
class DpoObjective:
    """Pairs whose chosen answer is to become likelier than the rejected one, against the policy as it was."""

    model: nn.Module
    renderer: Renderer
    examples: Sequence[PairExample]
    held_out: Sequence[PairExample]
    held_out_pairs: Sequence[Pair]
    reference: Mapping[Encoded, float]
    config: TrainConfig

    def on(self, model: nn.Module) -> DpoObjective:
        return replace(self, model=model)

    def head(self) -> dict[str, nn.Parameter]:
        return {}

    def layout(self, batch: Sequence[PairExample]) -> Layout:
        return "shared" if self.config.sharing == "on" else "padded"

    def forward(self, rows: Sequence[Encoded]) -> Tensor:
        return completion_logprobs(self.model, [row.ids for row in rows], [row.prompt_tokens for row in rows])

    def losses(
        self, batch: Sequence[PairExample], among: Sequence[PairExample] = (), whole: Sequence[PairExample] = ()
    ) -> Losses:
        rows = [one.chosen for one in batch] + [one.rejected for one in batch]
        chosen_B, rejected_B = (BETA * (self.forward(rows) - self.reference_of(rows))).chunk(2)
        loss_B = bradley_terry_losses(chosen_B - rejected_B)
        return Losses(loss_B=loss_B, figures={"chosen": chosen_B, "rejected": rejected_B})

    def reference_of(self, rows: Sequence[Encoded]) -> Tensor:
        return torch.tensor([self.reference[row] for row in rows], device=self.model.device)

    def step_figures(self, seen: Sequence[Seen]) -> dict[str, float]:
        return pair_figures.step_figures(seen)

    def scores(self, share: Sequence[PairExample]) -> list[PairScore]:
        found: dict[int, PairScore] = {}
        for places in cut(share, micro_tokens=256, layout="shared") if share else []:
            rewards = self.losses([share[place] for place in places]).figures
            for place, chosen, rejected in zip(
                places, rewards["chosen"].tolist(), rewards["rejected"].tolist(), strict=True
            ):
                found[place] = PairScore(pair_id=share[place].name, chosen=chosen, rejected=rejected)
        return [found[place] for place in range(len(share))]

    def evaluate(self, scores: Sequence[PairScore]) -> dict[str, int | float | None]:
        return pair_figures.held_out_figures(scores, self.held_out_pairs)

    def save(self, folder: Path, *, provenance: Mapping[str, JsonValue]) -> None:
        self.model.save_pretrained(folder)  # type: ignore[operator]
        self.renderer.save(folder)

    def self_check(self, folder: Path) -> dict[str, SelfCheckBody]:
        rows = [row for one in self.examples[:8] for row in one.rows]
        again = type(self)(LlamaForCausalLM.from_pretrained(folder), self.renderer, [], [], [], {}, self.config)
        with torch.no_grad():
            worst = float((self.forward(rows) - again.forward(rows)).abs().max())
        check = SelfCheckBody(
            name="reload_equal", passed=worst < 1e-4, worst=worst, tolerance=1e-4, meaning="It was not saved whole.",
            informative=False, rows=len(rows),
        )  # fmt: skip
        return {check.name: check}


def train_dpo(
    train_pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    *,
    base: Path,
    out: Path,
    config: TrainConfig,
    progress: Callable[[Progress], None],
) -> TrainResult:
    precision = choose(config.precision, stored=stored_in(out))
    config = config.model_copy(update={"precision": precision.used})

    def objective() -> DpoObjective:
        model, renderer = LlamaForCausalLM.from_pretrained(base), Renderer.from_pretrained(base)
        examples, held = (
            pair_examples(pairs, renderer, loss=LossConfig(), max_tokens=64) for pairs in (train_pairs, held_out)
        )
        made = DpoObjective(model, renderer, examples, held, held_out, {}, config)
        rows = list({row for one in [*examples, *held] for row in one.rows})
        with torch.no_grad():
            reference = dict(zip(rows, made.forward(rows).tolist(), strict=True))
        return DpoObjective(model, renderer, examples, held, held_out, reference, config)

    data = {"train": hash_pairs(train_pairs), "held_out": hash_pairs(held_out)}
    experiment = Experiment(options={"train": config}, seed=0, base="sha256:toy", data=data)
    return train_seed(Seed(experiment, out, config, precision, "toy"), objective, notify=progress)


def policy(folder: Path) -> Path:
    """A tiny random causal LM with its tokenizer."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        size: dict[str, Any] = {"vocab_size": 48, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
        config = LlamaConfig(**size, num_attention_heads=4, max_position_embeddings=64, bos_token_id=2, eos_token_id=3)
        LlamaForCausalLM(config).save_pretrained(folder)
    tiny.tokenizer("llama").save_pretrained(folder)
    return folder
