"""A script for torchrun: its processes measure differently, and must train alike. Usage: ... OUT BASE."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from assay.models import precision
from assay.models.precision import Measurement
from assay.train import train_reward
from tests.support import tiny_bases as tiny


def train(out: Path, base: Path) -> None:
    torch.set_num_threads(1)
    factor = {"0": 3.0, "1": 0.1}[os.environ["RANK"]]
    precision.measured = lambda: Measurement(float32_seconds=factor, bf16_seconds=1.0)  # type: ignore[assignment]
    recipe = tiny.quick(base, epochs=1.0, precision="auto")
    for _ in range(2):  # the second time it is finished: nothing is left that could wait for the other process
        train_reward(tiny.pairs(16), tiny.pairs(4, seed=1), seed=0, out=out, progress=lambda _: None, **recipe)


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
