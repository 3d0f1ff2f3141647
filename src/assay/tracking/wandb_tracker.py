"""Weights & Biases, online or offline as its own environment says (WANDB_MODE, WANDB_PROJECT, WANDB_ENTITY).

A training that goes on after a kill goes on in the same W&B run: the run's id is the training's key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.tracking.tracker import TrackedRun

PROJECT = "assay"
SECONDS = 30  # to wait for an answer at the start: a network that is down must not hold up a training for long


class WandbTracker:
    """One W&B run, grouped with the other seeds of its training."""

    def __init__(self, run: TrackedRun) -> None:
        import wandb

        self._wandb: Any = wandb
        self._group = run.group
        run.folder.mkdir(parents=True, exist_ok=True)
        # It would ask who you are on a terminal, and a training waits for nobody; its console would print over ours.
        settings = wandb.Settings(console="off", silent=True, init_timeout=SECONDS, login_timeout=SECONDS)
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT), name=run.name, group=run.group, id=run.key,
            resume="allow", config=dict(run.options), settings=settings,
            dir=os.environ.get("WANDB_DIR", str(run.folder)), reinit="create_new",
        )  # fmt: skip

    @property
    def place(self) -> str:
        """The run's address; of an offline one its folder, and how to send it."""
        if self._run.url:
            return str(self._run.url)
        folder = Path(self._run.dir).parent
        return f"{folder} (offline; send it with `wandb sync {folder}`)"

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        self._run.log({name: self._wandb.Histogram(list(values))}, step=step)

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        self._run.summary.update(dict(words))
        if files:
            artifact = self._wandb.Artifact(re.sub(r"[^\w.-]+", "-", f"{self._group}-verdict"), type="verdict")
            for path in files:
                artifact.add_file(str(path), name=path.name)
            self._run.log_artifact(artifact)

    def close(self) -> None:
        self._run.finish()
