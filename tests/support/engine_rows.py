"""Rows that share prompts, what callers make of them, and what is compared: losses, gradients, relative differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

RELATIVE = 1e-5
OLD_NAMES = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")  # PEFT's and our users' name
PROMPT = [1, 17, 23, 5, 44, 61, 8]
ROWS = [
    [*PROMPT, 30, 31, 2],
    [*PROMPT, 30, 33, 34, 35, 2],
    PROMPT,  # begins the others
    [1, 90, 91, 92],
    [*PROMPT, 30, 31, 2],  # identical to the first
    [77],  # one token, shares nothing
]


def pairs(count: int, seed: int = 0) -> list[list[int]]:
    """Chosen and rejected rows in turn, every prompt shared by its two."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        prompt = [1, *random.integers(3, 96, random.integers(1, 20)).tolist()]
        rows += [prompt + random.integers(3, 96, random.integers(1, 12)).tolist() for _ in range(2)]
    return rows


def padded(rows: list[list[int]]) -> dict[str, Tensor]:
    width = max(map(len, rows))
    return {
        "input_ids": torch.tensor([row + [0] * (width - len(row)) for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }


def assert_close(ours: Tensor, plain: Tensor, relative: float = RELATIVE) -> None:
    """Largest difference over the largest magnitude."""
    scale = plain.abs().max().clamp(min=1e-12)
    assert ((ours - plain).abs().max() / scale).item() <= relative


def bradley_terry(rewards: Tensor) -> Tensor:
    return -logsigmoid(rewards[0::2] - rewards[1::2]).mean()


def loss_and_gradients(
    model: Any, hidden: Callable[..., Tensor], rows: list[list[int]]
) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    loss = bradley_terry(model.score(hidden(model, rows))[:, 0])
    loss.backward()
    return loss.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
