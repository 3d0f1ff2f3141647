"""A script for torchrun: train a tiny seed over the processes there are. Usage: ... OUT BASE."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from assay.train import train_reward
from tests.support import tiny_bases as tiny


def train(out: Path, base: Path) -> None:
    torch.set_num_threads(1)
    recipe = tiny.quick(base, epochs=1.0, batch_pairs=6, max_grad_norm=0.05)
    train_reward(tiny.pairs(25), tiny.pairs(7, seed=1), seed=0, out=out, progress=lambda _: None, **recipe)


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
