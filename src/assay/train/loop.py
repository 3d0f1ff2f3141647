"""The training loop: transformers.Trainer with our batches, losses and figures put in through its public seams.

Overridden are only methods that Trainer documents as meant for it: the train dataloader, the optimiser and schedule,
the training step, evaluate, log, save_model. Accelerate (several processes, mixed precision), clipping, checkpoints of
optimiser and random states, and the reporters stay Trainer's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate.utils import gather_object
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from assay.engine.compiled import plain_layers
from assay.engine.micro_batches import pass_tokens
from assay.errors import TrainingError
from assay.records import Pair, PairScore
from assay.rewards.reward_model import RewardModel
from assay.train.batches import Drawn, Example, PairBatches, cut, distinct_rows
from assay.train.checkpoint import seal
from assay.train.config import LossConfig, TrainConfig
from assay.train.losses.targets import pair_losses
from assay.train.metrics import HeldOut, MetricsFile, Seen, held_out_accuracy, step_metrics
from assay.train.optimiser import adamw, schedule_factor
from assay.train.progress import Progress

Notify = Callable[[Progress], None]


class Rewards(nn.Module):
    """A reward model as the module that Trainer wraps: examples in, both sides' rewards out."""

    _keys_to_ignore_on_save = None  # Trainer asks every model it loads a checkpoint into

    def __init__(self, reward_model: RewardModel, *, sharing: Literal["on", "off"]) -> None:
        super().__init__()
        self.inner = reward_model.model
        self.reward_model = reward_model
        self.sharing = sharing
        self.quantization_method = getattr(self.inner, "quantization_method", None)

    def forward(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Rewards of the chosen and of the rejected sides, each of shape (B,), float32."""
        rows, places = distinct_rows(examples)
        rewards_N = self.reward_model.rewards(rows, sharing=self.sharing).float()
        sides_2B = rewards_N if len(rows) == len(places) else rewards_N[torch.tensor(places, device=rewards_N.device)]
        chosen_B, rejected_B = sides_2B.chunk(2)
        return chosen_B, rejected_B

    def shares(self, examples: Sequence[Example]) -> bool:
        """Whether the tokens these examples share are run once."""
        return self.reward_model.shares([side for one in examples for side in (one.chosen, one.rejected)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one seed trains on and by which rules."""

    seed: int
    pairs: Sequence[Example]
    held_out: Sequence[Pair]
    held_out_examples: Sequence[Example]
    loss: LossConfig
    config: TrainConfig
    identity: Mapping[str, Any]

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.pairs) / self.config.batch_pairs)

    @property
    def steps(self) -> int:
        return math.ceil(self.config.epochs * self.steps_per_epoch)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Held-out scores after `step` optimiser steps, in the order of the held-out pairs."""

    step: int
    scores: list[PairScore]
    result: HeldOut


class RewardTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    """transformers.Trainer over pairs; `evaluation` is the last held-out evaluation."""

    optimizer: Any
    lr_scheduler: Any
    control: Any

    def __init__(self, reward_model: RewardModel, task: Task, args: TrainingArguments, *, metrics: MetricsFile) -> None:
        self.task, self.metrics = task, metrics
        self.evaluation: Evaluation | None = None
        self.last_row: dict[str, Any] = {}
        self._seen: list[Seen] = []
        self._started = time.monotonic()
        super().__init__(Rewards(reward_model, sharing=task.config.sharing), args, train_dataset=list(task.pairs))
        self.batches = PairBatches(
            len(task.pairs),
            batch_pairs=task.config.batch_pairs,
            seed=task.seed,
            rank=self.args.process_index,
            world=self.args.world_size,
        )

    def get_train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(_Drawing(self.batches.pairs), batch_sampler=self.batches, collate_fn=list)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer = adamw(self.model if model is None else model, self.task.config)
        found: torch.optim.Optimizer = self.optimizer
        return found

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        if self.lr_scheduler is None:
            factor = schedule_factor(self.task.config, num_training_steps)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
        found: torch.optim.lr_scheduler.LRScheduler = self.lr_scheduler
        return found

    def training_step(self, model: nn.Module, inputs: list[Drawn], num_items_in_batch: object = None) -> Tensor:
        """Gradient of the mean loss of the whole batch, micro-batch by micro-batch; returns this rank's part of it."""
        self._started = time.monotonic()
        model.train()
        examples = [self.task.pairs[drawn.index] for drawn in inputs]
        weight_B = torch.tensor([drawn.weight for drawn in inputs], device=self.args.device)
        shared = self.task.config.sharing == "on" and self.accelerator.unwrap_model(model).shares(examples)
        budget = pass_tokens(self.task.config.micro_tokens, self.args.device.type)
        parts = cut(examples, micro_tokens=budget, shared=shared)
        values: list[Tensor] = []
        for number, places in enumerate(parts):
            # Several processes exchange gradients once, with the last micro-batch.
            with nullcontext() if number == len(parts) - 1 else self.accelerator.no_sync(model=model):
                values.append(self._micro_batch(model, [examples[i] for i in places], weight_B[places]))
        order = [place for places in parts for place in places]
        values_3B = torch.cat(values, dim=1)
        self._seen = self._look([examples[i] for i in order], [inputs[i].weight for i in order], values_3B)
        return (values_3B[2] * weight_B[order]).sum()

    def _micro_batch(self, model: nn.Module, examples: list[Example], weight_B: Tensor) -> Tensor:
        """Adds this micro-batch's part to the gradient; returns rewards of both sides and losses, shape (3, B)."""
        chosen_B, rejected_B = model(examples)
        loss_B = pair_losses(chosen_B, rejected_B, [one.target for one in examples], self.task.loss)
        # Processes average their gradients; the weights already are shares of the whole batch.
        self.accelerator.backward((loss_B * weight_B).sum() * self.args.world_size)
        return torch.stack([chosen_B, rejected_B, loss_B]).detach()

    def _look(self, examples: list[Example], weights: list[float], values_3B: Tensor) -> list[Seen]:
        """What this step saw. Raises TrainingError, before the update, if a reward or a loss is not finite."""
        finite_B = values_3B.isfinite().all(dim=0)
        if not bool(finite_B.all()):
            bad = [one.pair_id for one, fine in zip(examples, finite_B.tolist(), strict=True) if not fine]
            more = "" if len(bad) <= 8 else f" and {len(bad) - 8} more"
            raise TrainingError(
                f"Step {self.state.global_step + 1}: reward or loss is not finite for pairs "
                f"{', '.join(bad[:8])}{more}. Lower train.learning_rate, raise "
                "train.warmup, or look at these pairs' texts."
            )
        return [
            Seen(one.pair_id, chosen, rejected, loss, one.tokens)
            for one, weight, chosen, rejected, loss in zip(examples, weights, *values_3B.tolist(), strict=True)
            if weight
        ]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's own figures give way to exact ones; rows go to metrics.jsonl and to the reporters."""
        if "loss" in logs:
            logs = self._step_row(logs)
            self.metrics.add(self.state.global_step, logs)
            self.last_row = logs
        super().log(dict(logs), start_time)

    def _step_row(self, logs: Mapping[str, float]) -> dict[str, float]:
        norm = float(logs["grad_norm"])
        step = self.state.global_step
        if not math.isfinite(norm):
            raise TrainingError(
                f"Step {step}: the gradient is not finite ({norm}), though the loss is, for pairs "
                f"{', '.join(s.pair_id for s in self._seen[:8])}, ... Lower train.learning_rate, or set "
                "train.precision=float32."
            )
        seen = gather_object(self._seen) if self.args.world_size > 1 else self._seen
        seconds = time.monotonic() - self._started
        row = step_metrics(seen)
        more = {"grad_norm": norm, "learning_rate": logs["learning_rate"], "epoch": step / self.task.steps_per_epoch}
        return {**row, **more, "seconds": round(seconds, 4), "pairs_per_second": len(seen) / seconds}

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Held-out accuracy over all pairs; after the last step in float32, before that in the training's precision."""
        final = self.state.global_step >= self.task.steps
        scores = self.score_held_out("float32" if final else self.task.config.precision)
        result = held_out_accuracy(scores, self.task.held_out)
        self.evaluation = Evaluation(self.state.global_step, scores, result)
        found = {"accuracy": result.accuracy, "ties": result.ties, "margin": result.margin}
        row = {f"held_out_{name}": value for name, value in found.items() if value is not None}
        self.metrics.add(self.state.global_step, row)
        self.log(dict(row))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics=row)
        return row

    def score_held_out(self, precision: str) -> list[PairScore]:
        """Rewards of every held-out pair, in order; processes share the work."""
        mine = list(enumerate(self.task.held_out_examples))[self.args.process_index :: self.args.world_size]
        rows, places = distinct_rows([example for _, example in mine])
        reward_model: RewardModel = self.accelerator.unwrap_model(self.model).reward_model
        reward_model.model.eval()
        half = torch.autocast(self.args.device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
        with half, plain_layers(self.task.config.compile):
            rewards_N = reward_model.score(
                rows, micro_tokens=self.task.config.micro_tokens, sharing=self.task.config.sharing
            )
        reward_model.model.train()
        sides = [float(rewards_N[place]) for place in places]
        chosen, rejected = sides[: len(mine)], sides[len(mine) :]
        found = [
            (index, PairScore(pair_id=example.pair_id, chosen=a, rejected=b))
            for (index, example), a, b in zip(mine, chosen, rejected, strict=True)
        ]
        every = gather_object(found) if self.args.world_size > 1 else found
        return [score for _, score in sorted(every, key=lambda item: item[0])]

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The trained weights of a checkpoint; what was frozen is read from the base again."""
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            super().save_model(output_dir, _internal_call)
        elif self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            trained = {n: p.detach().cpu().contiguous() for n, p in self.model.named_parameters() if p.requires_grad}
            save_file(trained, folder / "model.safetensors", metadata={"format": "pt"})


class Flow(TrainerCallback):  # type: ignore[misc]
    """When to evaluate, what a checkpoint needs to count, and what the user sees."""

    def __init__(self, trainer: RewardTrainer, notify: Notify, start: Progress) -> None:
        self.trainer, self.notify, self.progress = trainer, notify, start
        self._begun = time.monotonic()
        self._first = start.step

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.trainer.batches.epoch = state.global_step // self.trainer.task.steps_per_epoch

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.is_world_process_zero:
            self.trainer.metrics.flush()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        task, step = self.trainer.task, state.global_step
        every = task.config.eval_every or task.steps_per_epoch
        control.should_evaluate = bool(task.held_out) and (step % every == 0 or step >= task.steps)
        control.should_log = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        row, step = self.trainer.last_row, state.global_step
        if not state.is_world_process_zero or step == self.progress.step or not row:
            return
        done = max(step - self._first, 1)
        left = (time.monotonic() - self._begun) / done * (self.trainer.task.steps - step)
        self.progress = replace(
            self.progress,
            step=step,
            loss=row["loss"],
            accuracy=row["accuracy"],
            pairs_per_second=row["pairs_per_second"],
            seconds_left=left,
        )
        self.notify(self.progress)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        found = self.trainer.evaluation
        if state.is_world_process_zero and found is not None:
            self.progress = replace(self.progress, held_out_accuracy=found.result.accuracy)
            self.notify(self.progress)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.trainer.accelerator.wait_for_everyone()
        if state.is_world_process_zero:
            self.trainer.metrics.flush()
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}", identity=self.trainer.task.identity)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.is_world_process_zero:
            self.trainer.metrics.flush()


class _Drawing(Dataset[Drawn]):
    """The dataset behind a sampler that already says everything: an item is what was drawn."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return self._pairs

    def __getitem__(self, drawn: Drawn) -> Drawn:
        return drawn
