"""One seed under way: resume or start, train, score, save, check, and say that it is finished."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from assay.artifacts.files import read_jsonl, write_json, write_jsonl
from assay.engine.compiled import compile_layers, plain_layers
from assay.errors import TrainingError
from assay.rewards.reward_model import RewardModel
from assay.train.checkpoint import Checkpoint, latest, remove_all, sweep
from assay.train.checks import self_check
from assay.train.choice import Choice, store
from assay.train.loop import Evaluation, Flow, RewardTrainer, Task
from assay.train.metrics import MetricsFile, held_out_accuracy
from assay.train.optimiser import head_parameters, snapshot
from assay.train.progress import Progress, Stage
from assay.train.result import PACKAGES, SCHEMA, TrainResult, hashes, read_result, save_model
from assay.train.trainer_options import checkpoint_activations, trainer_arguments, without_printer
from assay.version import versions


@dataclass(slots=True, kw_only=True)
class Job:
    """One seed: its folder, what it trains and how precisely, whom to tell, and the seconds each stage took."""

    folder: Path
    task: Task
    reward_model: RewardModel
    precision: Choice
    notify: Callable[[Progress], None]
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, *, base_name: str) -> TrainResult:
        """Everything from the first step or the last checkpoint to train.json."""
        store(self.precision, self.folder)
        with self._shown():
            trainer = self._trainer()
            evaluation = self._train(trainer)
            if trainer.args.process_index == 0:
                self._finish(evaluation, base_name=base_name)
            trainer.accelerator.wait_for_everyone()
        return read_result(self.folder)

    def _trainer(self) -> RewardTrainer:
        task = self.task
        args = trainer_arguments(task.config, seed=task.seed, folder=self.folder)
        if task.config.gradient_checkpointing == "on":
            checkpoint_activations(self.reward_model.model, "on")
        if task.config.compile == "on":
            self.reward_model.model.to(args.device)
            forward = functools.partial(self.reward_model.rewards, sharing=task.config.sharing)
            compile_layers(self.reward_model.model, forward, precision=task.config.precision)
        metrics = MetricsFile(self.folder / "metrics.jsonl", writes=args.process_index == 0)
        trainer = RewardTrainer(self.reward_model, task, args, metrics=metrics)
        without_printer(trainer)
        return trainer

    def _train(self, trainer: RewardTrainer) -> Evaluation:
        """Run or go on with the optimiser's steps; returns the held-out scores of the final weights."""
        task, main = self.task, trainer.args.process_index == 0
        with trainer.accelerator.main_process_first():  # it removes what is torn before the others look
            checkpoint = latest(self.folder, identity=task.identity)
        step = checkpoint.step if checkpoint else 0
        if main:
            sweep(self.folder)
            trainer.metrics.resume(step)
        start = Progress(seed=task.seed, stage="train", step=step, steps=task.steps)
        trainer.add_callback(Flow(trainer, self._tell if main else _nobody, start))
        head = head_parameters(self.reward_model.model)
        before = snapshot(head)
        with self._stage("train", step):
            self._run_steps(trainer, checkpoint)
        if all(torch.equal(before[name], parameter.detach().cpu()) for name, parameter in head.items()):
            raise TrainingError(
                "The reward head did not change in training. Raise train.head_learning_rate or train.epochs."
            )
        with self._stage("score", task.steps):
            found = trainer.evaluation
            if found is None or found.step < task.steps:
                scores = trainer.score_held_out("float32")
                found = Evaluation(task.steps, scores, held_out_accuracy(scores, task.held_out))
        return found

    def _run_steps(self, trainer: RewardTrainer, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None or checkpoint.step < self.task.steps:
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        else:  # killed after the last step: only the weights are missing
            trainer.model.load_state_dict(load_file(checkpoint.folder / "model.safetensors"), strict=False)

    def _finish(self, evaluation: Evaluation, *, base_name: str) -> None:
        """Save, check, and write train.json last: that file says the seed is finished."""
        task, steps = self.task, self.task.steps
        if task.config.gradient_checkpointing == "on":
            checkpoint_activations(self.reward_model.model, "off")
        self.reward_model.model.eval()
        with self._stage("save", steps):
            provenance = {**task.identity, "base_name": base_name, "pairs": len(task.pairs)}
            save_model(self.reward_model, self.folder / "model", provenance=provenance)
            write_jsonl(self.folder / "scores.jsonl", evaluation.scores)
        with self._stage("check", steps), plain_layers(task.config.compile):
            checks = self_check(self.folder / "model", self.reward_model, task.held_out_examples or task.pairs)
        rows = list(read_jsonl(self.folder / "metrics.jsonl"))
        training = sum(row["seconds"] for row in rows)
        found = evaluation.result
        body = {
            "seed": task.seed,
            "identity": dict(task.identity),
            "inputs": dict(task.identity["data"]),
            "base": {"name": base_name, "fingerprint": task.identity["base"]},
            "config": {**task.identity["train"], "save_every": task.config.save_every},
            "precision": self.precision.to_dict(),
            "report_to": list(task.config.report_to),
            "pairs": len(task.pairs),
            "steps": steps,
            "tokens": sum(row["tokens"] for row in rows),
            "seconds": round(
                sum(self.seconds.values()) - self.seconds["train"] + max(training, self.seconds["train"]), 3
            ),
            "stages": {name: round(value, 3) for name, value in self.seconds.items()},
            "pairs_per_second": sum(row["pairs"] for row in rows) / training,
            "tokens_per_second": sum(row["tokens"] for row in rows) / training,
            "held_out": {"accuracy": found.accuracy, "n": found.n, "ties": found.ties, "margin": found.margin},
            "self_checks": checks,
            "files": hashes(self.folder, "model", "scores.jsonl"),
            "threads": torch.get_num_threads(),
            "processes": int(os.environ.get("WORLD_SIZE", "1")),
            "versions": versions(PACKAGES),
        }
        write_json(self.folder / "train.json", SCHEMA, body)
        remove_all(self.folder)

    @contextmanager
    def _stage(self, name: Stage, step: int) -> Iterator[None]:
        """Time one stage and say that it runs."""
        started = time.monotonic()
        self._tell(Progress(seed=self.task.seed, stage=name, step=step, steps=self.task.steps))
        yield
        self.seconds[name] = time.monotonic() - started

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Whatever happens, whoever shows progress hears of the end."""
        last = Progress(seed=self.task.seed, stage="stopped", step=0, steps=self.task.steps)
        try:
            yield
            last = replace(last, stage="done", step=self.task.steps)
        finally:
            self._tell(last)

    def _tell(self, progress: Progress) -> None:
        if int(os.environ.get("RANK", "0")) == 0:
            self.notify(progress)


def _nobody(progress: Progress) -> None:
    """The progress of the other processes is that of the first."""
