"""What happens beside the steps: when held-out examples are scored, what a checkpoint needs to count, what a user sees.

One class each, hung onto Trainer. They know steps, rows and files; they know no method and no model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue
from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers import TrainingArguments as Arguments

from assay.train.batches import Batches
from assay.train.checkpoint import seal
from assay.train.metrics import MetricsFile
from assay.train.progress import Progress


class Schedule(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Which epoch's permutation is drawn, and that every step is logged and some are followed by an evaluation.

    every: optimiser steps between evaluations, one more after the last step; None: there is nothing held out.
    """

    def __init__(self, batches: Batches, *, steps: int, every: int | None) -> None:
        self.batches, self.steps, self.every = batches, steps, every

    def on_epoch_begin(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        # By the steps done, not by a count of calls: a run that goes on begins in the middle.
        self.batches.epoch = state.global_step // len(self.batches)

    def on_step_end(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        step = state.global_step
        control.should_evaluate = self.every is not None and (step % self.every == 0 or step >= self.steps)
        control.should_log = True


class Sealing(TrainerCallback):  # type: ignore[misc]
    """Rows into metrics.jsonl as their steps end, and checkpoints sealed once all of them is written.

    A checkpoint counts from its seal on. By then the rows up to it must be in the file, or a run that goes on from it
    would lack them: so rows are flushed first, and all processes have written their part before the first one seals.
    """

    def __init__(
        self, metrics: MetricsFile, *, identity: Mapping[str, JsonValue], together: Callable[[], None]
    ) -> None:
        self.metrics, self.identity, self.together = metrics, identity, together

    def on_step_begin(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        if state.is_world_process_zero:
            self.metrics.flush()

    def on_save(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        self.together()
        if state.is_world_process_zero:
            self.metrics.flush()
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}", identity=self.identity)

    def on_train_end(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        if state.is_world_process_zero:
            self.metrics.flush()


class Reporting(TrainerCallback):  # type: ignore[misc]
    """Tells a function of every step and every evaluation, with the time that is left."""

    def __init__(self, notify: Callable[[Progress], None], *, start: Progress) -> None:
        self.notify, self.progress = notify, start
        self._begun = time.monotonic()
        self._first = start.step

    def on_log(
        self,
        args: Arguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        step = state.global_step
        if not state.is_world_process_zero or logs is None or "loss" not in logs:
            return
        # Steps of this start alone: those before a kill took none of the time measured here.
        done = max(step - self._first, 1)
        left = (time.monotonic() - self._begun) / done * (self.progress.steps - step)
        self.progress = replace(
            self.progress,
            step=step,
            loss=logs["loss"],
            accuracy=logs.get("accuracy"),
            pairs_per_second=logs["pairs_per_second"],
            seconds_left=left,
        )
        self.notify(self.progress)

    def on_evaluate(
        self,
        args: Arguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **_: object,
    ) -> None:
        if state.is_world_process_zero and metrics is not None:
            self.progress = replace(self.progress, held_out_accuracy=metrics.get("held_out_accuracy"))
            self.notify(self.progress)
