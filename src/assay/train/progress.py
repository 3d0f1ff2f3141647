"""What the user sees while a seed trains: a bar with time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

Stage = Literal["reference", "train", "score", "save", "check", "done", "stopped"]
PLAIN_EVERY = 30.0  # seconds between plain lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one seed stands. Figures are None until there is one."""

    seed: int
    stage: Stage
    step: int
    steps: int
    loss: float | None = None
    accuracy: float | None = None
    held_out_accuracy: float | None = None
    pairs_per_second: float | None = None
    seconds_left: float | None = None

    def __str__(self) -> str:
        parts = [f"seed {self.seed}", f"{self.stage} {self.step}/{self.steps}", *_figures(self)]
        if self.seconds_left is not None and self.stage in {"reference", "train"}:
            parts.append(f"{clock(self.seconds_left)} left")
        return "  ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def display() -> Callable[[Progress], None]:
    """A function that shows progress on standard error: a bar if that is a terminal, plain lines if not."""
    console = Console(stderr=True)
    return bar(console) if console.is_terminal else plain()


def silent(progress: Progress) -> None:
    """Shows nothing."""


def bar(console: Console) -> Callable[[Progress], None]:
    shown = Bar(
        TextColumn("seed {task.fields[seed]} {task.fields[stage]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[figures]}"),
        console=console,
    )
    task = shown.add_task("", total=None, seed="", stage="", left="", figures="")

    def show(now: Progress) -> None:
        if now.stage in {"done", "stopped"}:
            shown.stop()
            return
        shown.start()
        left = "" if now.seconds_left is None else f"{clock(now.seconds_left)} left"
        figures = "  ".join(_figures(now))
        shown.update(
            task, completed=now.step, total=now.steps, seed=now.seed, stage=now.stage, left=left, figures=figures
        )

    return show


def plain() -> Callable[[Progress], None]:
    last = -math.inf

    def show(now: Progress) -> None:
        nonlocal last
        if now.stage not in {"reference", "train"} or time.monotonic() - last >= PLAIN_EVERY or now.step == now.steps:
            last = time.monotonic()
            print(now, file=sys.stderr, flush=True)

    return show


def _figures(now: Progress) -> list[str]:
    found = (("loss", now.loss, ".4f"), ("accuracy", now.accuracy, ".3f"), ("held-out", now.held_out_accuracy, ".4f"))
    parts = [f"{name} {value:{form}}" for name, value, form in found if value is not None]
    return [*parts, f"{now.pairs_per_second:.1f} pairs/s"] if now.pairs_per_second is not None else parts
