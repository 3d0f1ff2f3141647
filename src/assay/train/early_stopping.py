"""Early stopping: losses on a validation slice by step, when to stop, and the best weights so far as a file.

What is known stands in memory, and in every checkpoint a copy of it with the best weights of that moment: a run that
was killed and goes on from a checkpoint knows what it knew there, and not what it had seen later and will see again.
Knows steps, losses and files; knows no method.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers import TrainingArguments as Arguments

from assay.artifacts.stopping_body import StoppingBody
from assay.train.objective import Example

SEEN, WEIGHTS = "stopping.json", "best.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What is validated on, the loss of its scores (in order), and how many evaluations without a better one end it."""

    examples: Sequence[Example]
    loss: Callable[[Sequence[Any]], float]
    patience: int


@dataclass(slots=True)
class BestSoFar:
    """The losses seen, each with its step, None for no number; the weights of the best are in best.safetensors."""

    folder: Path
    patience: int
    seen: list[tuple[int, float | None]] = field(default_factory=list)

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and loss of the lowest finite loss, of equals the first; None before there is one."""
        finite = [(step, loss) for step, loss in self.seen if loss is not None]
        return min(finite, key=lambda one: one[1]) if finite else None

    @property
    def exhausted(self) -> bool:
        """Whether the last `patience` losses were no better than the best before them."""
        since = self.best[0] if self.best else -1
        return sum(step > since for step, _ in self.seen) >= self.patience

    def see(self, step: int, loss: float) -> bool:
        """Take note of a loss; whether it is the best so far. One that is not finite is none."""
        self.seen.append((step, loss if math.isfinite(loss) else None))
        return self.best == (step, loss)

    def keep(self, weights: Mapping[str, Tensor]) -> None:
        """Write the best weights, whole or not at all."""
        temporary = self.folder / f".{WEIGHTS}.tmp"
        save_file(dict(weights), temporary, metadata={"format": "pt"})
        temporary.replace(self.folder / WEIGHTS)

    def copy_into(self, checkpoint: Path) -> None:
        """Put what is known now beside the weights of a checkpoint, before it is sealed."""
        self.body.write(checkpoint / SEEN)
        if self.best is not None:
            shutil.copyfile(self.folder / WEIGHTS, checkpoint / WEIGHTS)

    def restore(self, checkpoint: Path | None, *, writes: bool) -> None:
        """Know what was known at a checkpoint; nothing without one. writes: of several processes one writes."""
        if checkpoint is None or not (checkpoint / SEEN).exists():
            self.seen = []
            return
        self.seen = list(StoppingBody.read(checkpoint / SEEN).losses)
        if self.best is not None and writes:
            temporary = self.folder / f".{WEIGHTS}.tmp"
            shutil.copyfile(checkpoint / WEIGHTS, temporary)
            temporary.replace(self.folder / WEIGHTS)

    @property
    def body(self) -> StoppingBody:
        return StoppingBody(
            patience=self.patience, losses=tuple(self.seen), best_step=self.best[0] if self.best else None
        )

    def clear(self) -> None:
        """Remove the file of weights, once the model is saved."""
        (self.folder / WEIGHTS).unlink(missing_ok=True)


class KeepingBest(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Copies the best so far into every checkpoint; stands before `Sealing`, whose seal holds every file's hash."""

    def __init__(self, best: BestSoFar) -> None:
        self.best = best

    def on_save(self, args: Arguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        if state.is_world_process_zero:
            self.best.copy_into(Path(args.output_dir) / f"checkpoint-{state.global_step}")
