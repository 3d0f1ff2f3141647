"""The training loop, for any method: transformers.Trainer with an Objective put in through its public seams.

A step draws a batch, cuts it into micro-batches, adds up the gradients of their losses and lets Trainer clip and
update; when asked, held-out examples are scored. Overridden are only methods that Trainer documents as meant for it:
the train dataloader, the optimiser and schedule, the training step, evaluate, log, save_model. Accelerate (several
processes, mixed precision), clipping, checkpoints of optimiser and random states, and the reporters stay Trainer's.
Where processes hold parts of the weights (`take_apart`), that and the optimiser's checkpoint are ours too, so that it
is the same on a CPU as on GPUs, and a checkpoint is one that any number of processes goes on from.
Knows no pair, no reward and no policy: `Objective` says all there is to know. Letters: B examples, K figures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer, TrainerControl, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME

from assay.engine.compiled import plain_layers
from assay.engine.micro_batches import pass_tokens
from assay.errors import ConfigError, TrainingError
from assay.models.device_and_mode import evaluating
from assay.models.precision import Precision
from assay.train.batches import Drawn, batches_of, tokens_of
from assay.train.config import TrainConfig
from assay.train.early_stopping import BestSoFar, Validation
from assay.train.launched import WHOLE, Held
from assay.train.metrics import MetricsFile, step_row
from assay.train.objective import AnyObjective, Example, Losses, Seen
from assay.train.optimiser import adamw, schedule_factor
from assay.train.passes import Keeping, in_as_many, keeping, passes
from assay.train.process_group import most_of_all
from assay.train.weights_in_parts import Whole, optimiser_state, put_back, put_back_optimiser, take_apart, trained

NAMED = 8  # examples named in a message
WEIGHTS = "model.safetensors"  # of a checkpoint; Trainer asks for it by this name


class LossModule(nn.Module):
    """An objective as the module that Trainer wraps: a micro-batch in, its losses out.

    Processes exchange gradients when the wrapped module is called, so the loss has to be made inside of it.
    """

    _keys_to_ignore_on_save = None  # Trainer asks every model it loads a checkpoint into

    def __init__(self, objective: AnyObjective) -> None:
        super().__init__()
        self.inner = objective.model
        self.objective = objective
        self.quantization_method = getattr(self.inner, "quantization_method", None)

    def forward(
        self, batch: Sequence[Example], among: Sequence[Example], whole: Sequence[Example]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The losses, and the figures by name, (B,) each: plain containers, in which FSDP finds the tensors."""
        found: Losses = self.objective.losses(batch, among, whole)
        # Clones, since FSDP hooks into what it is given and warns of views, as half of a pass's rewards is one.
        return found.loss_B.clone(), {name: figure.clone() for name, figure in found.figures.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One seed's training: what is trained and by which options, the precision chosen; what may end it early.

    held: how several processes hold the weights.
    """

    seed: int
    objective: AnyObjective
    config: TrainConfig
    validation: Validation | None = None
    held: Held = WHOLE

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.objective.examples) / self.config.batch_pairs)

    @property
    def steps(self) -> int:
        return math.ceil(self.config.epochs * self.steps_per_epoch)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Held-out scores after `step` optimiser steps, in the order of the held-out examples, and their figures."""

    step: int
    scores: Sequence[object]
    figures: Mapping[str, int | float | None]


class ObjectiveTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    """transformers.Trainer over an objective's examples; `evaluation` is the last held-out evaluation."""

    optimizer: torch.optim.Optimizer | None
    lr_scheduler: torch.optim.lr_scheduler.LRScheduler | None
    control: TrainerControl

    def __init__(
        self, training: Training, args: TrainingArguments, *, metrics: MetricsFile, best: BestSoFar | None = None
    ) -> None:
        self.training, self.objective, self.metrics, self.best = training, training.objective, metrics, best
        self.evaluation: Evaluation | None = None
        self.seen: list[Seen] = []  # what the last step saw, of all processes once it is over
        self._whole: Whole | None = None
        self._started = time.monotonic()
        super().__init__(LossModule(self.objective), args, train_dataset=list(self.objective.examples))
        process = {"rank": self.args.process_index, "world": self.args.world_size}
        self.batches = batches_of(self.objective.examples, training.config, seed=training.seed, **process)

    def take_apart(self) -> None:
        """Have every process hold its part of the weights from here on; before `train`, which makes the optimiser."""
        if not hasattr(self, "is_distributed_loading_by_transformers"):
            raise ConfigError("Weights in parts need a newer transformers (5.23 has been tested). Upgrade it.")
        objective = self.objective
        devices = [self.args.device.index or 0] if self.args.device.type == "cuda" else []
        # Each model is probed once for what it can share. Taken apart it could not be, by one process at least.
        with evaluating(objective.model), torch.random.fork_rng(devices):
            objective.layout(objective.examples[:1])
            objective.forward(objective.examples[0].rows)
        self._whole = Whole(objective.model)
        parts_between = self.training.held.parts_between
        longest = max(len(row.ids) for one in objective.examples for row in one.rows)
        take_apart(self.model, objective.model, device=self.args.device, parts_between=parts_between, longest=longest)
        # What Trainer asks before it wraps a model in DDP: this one exchanges gradients by itself.
        self.is_distributed_loading_by_transformers = True

    @contextmanager
    def whole_objective(self) -> Iterator[AnyObjective]:
        """The objective with all its weights, which a process may run by itself; all processes come here together."""
        if self._whole is None:
            yield self.objective
        else:
            with self._whole.lent(self.objective.model) as model:
                yield self.objective.on(model)

    def get_train_dataloader(self) -> DataLoader[Drawn]:
        return DataLoader(_Drawing(len(self.objective.examples)), batch_sampler=self.batches, collate_fn=list)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            model = self.model if model is None else model
            self.optimizer = adamw(model, self.training.config, head=self.objective.head())
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        if self.lr_scheduler is None:
            factor = schedule_factor(self.training.config, num_training_steps)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.create_optimizer(), factor)
        return self.lr_scheduler

    def training_step(self, model: nn.Module, inputs: list[Drawn], num_items_in_batch: object = None) -> Tensor:
        """Gradient of the whole batch's loss, micro-batch by micro-batch; returns this process's part of the loss.

        The batch's loss is the sum of share x loss over its examples, and a gradient is linear: the parts' gradients,
        each example with the share it has in the whole batch, add up to the whole's, however the batch is cut. A mean
        of the micro-batches' means would not: it counts an example in a small micro-batch more than one in a large.
        """
        self._started = time.monotonic()
        model.train()
        examples = [self.objective.examples[drawn.index] for drawn in inputs]
        share_B = torch.tensor([drawn.share for drawn in inputs], device=self.args.device)
        layout = self.objective.layout(examples)
        budget = pass_tokens(self.training.config.micro_tokens, self.args.device.type, layout)
        parts = passes(examples, micro_tokens=budget, layout=layout, keep=self._keeping())
        if self._whole is not None:  # every pass gathers weights, so all processes need as many
            parts = in_as_many(parts, most_of_all(len(parts), self.args.device.type))
        whole = self._whole_batch(examples)
        found: list[Tensor] = []
        names: list[str] = []
        for number, part in enumerate(parts):
            places = list(part.places)
            with self._exchanging(model, last=number == len(parts) - 1):
                with part.attending():
                    loss_B, figures = model([examples[i] for i in places], examples, whole)
                # Processes average their gradients, and shares already are of the batch of all: hence times world_size.
                times = self.args.world_size if part.counts else 0
                self.accelerator.backward((loss_B * share_B[places]).sum() * times)
                with self.accelerator.autocast():
                    part.after_backward()
            if part.counts:
                names = list(figures)
                found.append(torch.stack([loss_B, *figures.values()]).detach())
        order = [place for part in parts if part.counts for place in part.places]
        values_KB = torch.cat(found, dim=1)
        self.seen = self._look([examples[i] for i in order], [inputs[i] for i in order], names, values_KB)
        return (values_KB[0] * share_B[order]).sum()

    def _whole_batch(self, mine: Sequence[Example]) -> Sequence[Example]:
        """The examples of this step in all processes; `mine`, where there is one."""
        if self.args.world_size == 1:
            return mine
        drawn = self.batches.whole(self.state.global_step % len(self.batches))
        return [self.objective.examples[index] for index in drawn]

    @contextmanager
    def _exchanging(self, model: nn.Module, *, last: bool) -> Iterator[None]:
        """Around a pass: processes exchange gradients with the last one of a step, or with each where they hold parts.

        Whole gradients, kept for the last pass, would take the memory that parts are there to save.
        """
        once = self._whole is None and not last
        with self.accelerator.no_sync(model=model) if once else nullcontext():
            yield

    def _keeping(self) -> Keeping:
        """Whether prompts are kept between passes: as asked for, where weights are whole and the model allows it."""
        asked = self._whole is None and self.training.config.keep_prompts == "on"
        return keeping(self.objective.model, processes=self.args.world_size, asked=asked)

    def _look(self, examples: list[Example], drawn: list[Drawn], names: list[str], values_KB: Tensor) -> list[Seen]:
        """What this step saw. Raises TrainingError, before the update, if a loss or a figure is not finite."""
        finite_KB = values_KB.isfinite()
        if not bool(finite_KB.all()):
            bad = [one.name for one, fine in zip(examples, finite_KB.all(dim=0).tolist(), strict=True) if not fine]
            of = [name for name, fine in zip(["loss", *names], finite_KB.all(dim=1).tolist(), strict=True) if not fine]
            more = "" if len(bad) <= NAMED else f" and {len(bad) - NAMED} more"
            raise TrainingError(
                f"Step {self.state.global_step + 1}: not finite ({', '.join(of)}) for pairs {', '.join(bad[:NAMED])}"
                f"{more}. Lower train.learning_rate, raise train.warmup, or look at these pairs' texts."
            )
        return [
            Seen(
                name=one.name,
                loss=loss,
                figures=dict(zip(names, figures, strict=True)),
                tokens=tokens_of(one),
                weight=one.weight,
            )
            for one, at, (loss, *figures) in zip(examples, drawn, values_KB.T.tolist(), strict=True)
            if at.share  # one of share 0 was run to take part in the exchange of gradients, and counts nowhere
        ]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's own figures give way to exact ones; rows go to metrics.jsonl and to the reporters."""
        if "loss" in logs:
            logs = self._step_row(logs)
            self.metrics.add(self.state.global_step, logs)
        super().log(dict(logs), start_time)

    def _step_row(self, logs: Mapping[str, float]) -> dict[str, float]:
        norm = float(logs["grad_norm"])
        step = self.state.global_step
        if not math.isfinite(norm):
            raise TrainingError(
                f"Step {step}: the gradient is not finite ({norm}), though the loss is, for pairs "
                f"{', '.join(s.name for s in self.seen[:NAMED])}, ... Lower train.learning_rate, or set "
                "train.precision=float32."
            )
        self.seen = seen = gather_object(self.seen) if self.args.world_size > 1 else self.seen
        seconds = time.monotonic() - self._started
        row = step_row(seen, self.objective.step_figures(seen))
        more = {
            "grad_norm": norm,
            "learning_rate": logs["learning_rate"],
            "epoch": step / self.training.steps_per_epoch,
        }
        return {**row, **more, "seconds": round(seconds, 4), "pairs_per_second": len(seen) / seconds}

    def evaluate(self, *_: object, **__: object) -> dict[str, float]:
        """Held-out figures over all examples; after the last step in float32, before it in the training's precision."""
        final = self.state.global_step >= self.training.steps
        row: dict[str, float] = {}
        if self.objective.held_out:
            self.evaluation = self.evaluated("float32" if final else chosen_precision(self.training.config))
            row = {
                f"held_out_{name}": value
                for name, value in self.evaluation.figures.items()
                if value is not None and name != "n"
            }
        if self.best is not None:
            row["validation_loss"] = self._validated(self.best)
        self.metrics.add(self.state.global_step, row)
        self.log(dict(row))
        # Overriding `evaluate` also takes over what Trainer's own does at its end: the callbacks are told here.
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics=row)
        if self.best is not None and self.best.exhausted:
            self.control.should_training_stop = True
        return row

    def _validated(self, best: BestSoFar) -> float:
        """The loss on the validation slice by the weights as they are, which are kept if none before were better."""
        validation = self.training.validation
        assert validation is not None
        with self.whole_objective() as objective:
            scores = self._scored(objective, validation.examples, chosen_precision(self.training.config))
        loss = validation.loss(scores)
        if best.see(self.state.global_step, loss):
            weights = self._trained()
            if self.args.should_save:
                best.keep(weights)
        return loss

    def last_scores(self) -> Sequence[object]:
        """Of the held-out examples at the last evaluation; none before there was one."""
        return () if self.evaluation is None else self.evaluation.scores

    def evaluated(self, precision: Precision) -> Evaluation:
        """Scores of every held-out example, in order, by the weights as they are."""
        with self.whole_objective() as objective:
            scores = self._scored(objective, objective.held_out, precision)
            return Evaluation(self.state.global_step, scores, objective.evaluate(scores))

    def _scored(self, objective: AnyObjective, examples: Sequence[Example], precision: Precision) -> list[Any]:
        """One score for each, in order; processes share the work."""
        # Every world-th one, so that data in an order (of length, say) do not leave one process with all the work.
        mine = list(enumerate(examples))[self.args.process_index :: self.args.world_size]
        half = torch.autocast(self.args.device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
        with evaluating(objective.model), half, plain_layers(self.training.config.compile):
            scores = objective.scores([example for _, example in mine])
        found = [(index, score) for (index, _), score in zip(mine, scores, strict=True)]
        every = gather_object(found) if self.args.world_size > 1 else found
        return [score for _, score in sorted(every, key=lambda item: item[0])]

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The trained weights of a checkpoint; what was frozen is read from the base again."""
        weights = self._trained()
        if self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})

    def _trained(self) -> dict[str, Tensor]:
        """The trained weights, in the process that writes them; where they are held in parts, all processes gather."""
        # Of an adapter run a hundredth of the model or less; with the whole trunk a checkpoint would be gigabytes.
        writes: bool = self.args.should_save
        return trained(self.model, keeps=writes) if writes or self._whole is not None else {}

    def load(self, weights: Path) -> None:
        """Go on with the trained weights of a file."""
        put_back(self.model, load_file(weights))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        self.load(Path(resume_from_checkpoint) / WEIGHTS)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self._whole is None:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        state = optimiser_state(self.optimizer, keeps=self.args.should_save)
        if self.args.should_save:  # under the names, and in the form, that Trainer writes without parts
            torch.save(state, Path(output_dir) / OPTIMIZER_NAME)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self._whole is None or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        # Mapped and not read: every process takes its part of it, and the processes of a machine share the pages.
        state = torch.load(Path(checkpoint) / OPTIMIZER_NAME, map_location="cpu", weights_only=True, mmap=True)
        put_back_optimiser(self.optimizer, state)
        self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER_NAME, weights_only=True))


def chosen_precision(config: TrainConfig) -> Precision:
    """The precision of a training that is under way: by then, `auto` has become what it was measured to be."""
    assert config.precision != "auto", "choose() comes before training"
    return config.precision


class _Drawing(Dataset[Drawn]):
    """The dataset behind a sampler that already says everything: an item is what was drawn."""

    def __init__(self, examples: int) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return self._examples

    def __getitem__(self, drawn: Drawn) -> Drawn:
        return drawn
