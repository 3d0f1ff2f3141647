"""TensorBoard: event files beside the run. It keeps no files, so a page stands there as its path and its words.

torch's writer is taken, as Trainer's own callback does: a dependency that is here, and its format tested by others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from assay.tracking.tracker import TrackedRun

TEXTS = frozenset({".md", ".txt"})
FOLDER = "TENSORBOARD_LOGGING_DIR"  # of transformers, for whoever gathers many trainings in one place


class TensorBoardTracker:
    """Event files in `tensorboard` inside the tracked folder, or under the folder that the environment names."""

    def __init__(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        named = os.environ.get(FOLDER)
        folder = Path(named).expanduser() / run.group / run.name if named else run.folder / "tensorboard"
        self.folder = folder
        # Steps after a checkpoint are made again: TensorBoard drops what an earlier start wrote of them.
        self._writer = SummaryWriter(str(folder), purge_step=run.step + 1 if run.step else None)
        for name, value in run.options.items():
            self._writer.add_text(f"options/{name}", f"    {value}", run.step)

    @property
    def place(self) -> str:
        return f"{self.folder} (look with `tensorboard --logdir {self.folder}`)"

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def histogram(self, step: int, name: str, values: Sequence[float]) -> None:
        self._writer.add_histogram(name, np.asarray(values), step)

    def keep(self, words: Mapping[str, str], files: Sequence[Path]) -> None:
        for name, text in words.items():
            self._writer.add_text(name, text, 0)
        for path in files:
            text = path.read_text(encoding="utf-8") if path.suffix in TEXTS else f"`{path.resolve()}`"
            self._writer.add_text(f"files/{path.name}", text, 0)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
