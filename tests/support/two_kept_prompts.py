"""A script for torchrun: train a tiny seed whose prompts are kept between passes, over the processes there are.

Usage: ... OUT BASE.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from assay.records import Pair
from assay.train import loop, train_reward
from assay.train.passes import Pass, passes
from tests.support import tiny_bases as tiny

PROMPT = " ".join(f"w{n}" for n in range(2, 26))


def pairs() -> list[Pair]:
    """Twelve pairs of one long prompt, of which each of two processes gets six; and five of other prompts."""
    words = [" ".join(f"w{(7 * n + m) % 40}" for m in range(3 + n % 5)) for n in range(24)]
    long = [
        Pair(id=f"a{n}", prompt=PROMPT, chosen=f"{words[2 * n]} good", rejected=f"{words[2 * n + 1]} bad")
        for n in range(12)
    ]
    return [*long, *tiny.pairs(5)]


def train(out: Path, base: Path) -> None:
    torch.set_num_threads(1)
    kept: list[Pass] = []

    def short_ones_too(*args: Any, **options: Any) -> list[Pass]:
        found = passes(*args, **options, shortest=8)
        kept.extend(one for one in found if one.kept)
        return found

    loop.passes = short_ones_too  # type: ignore[attr-defined]
    recipe = tiny.quick(base, epochs=2.0, batch_pairs=17, micro_tokens=50, max_grad_norm=0.05)
    train_reward(pairs(), [], seed=0, out=out, progress=lambda _: None, **recipe)
    loop.passes = passes  # type: ignore[attr-defined]
    assert len(kept) >= 4, "in each of two steps a prompt was to be kept between two passes"


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
