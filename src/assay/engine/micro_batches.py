"""Cut rows into micro-batches within a budget of tokens: which rows share a forward pass. Knows lengths; no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from assay.errors import ConfigError

PASS_TOKENS = {"cpu": 2048}  # activations that stay near the cores' caches: faster than 4,096 and in less memory
GPU_PASS_TOKENS = 16_384

# How rows stand in one pass: each shared token once; one after the other, nothing shared; or padded to the longest.
Layout = Literal["shared", "side by side", "padded"]


def pass_tokens(asked: int | None, device: str) -> int:
    """Tokens of one forward pass: as asked for, else what suits the device type (`cpu`, `cuda`, ...)."""
    return PASS_TOKENS.get(device, GPU_PASS_TOKENS) if asked is None else asked


def micro_batches(lengths: Sequence[int], token_budget: int, *, padding: bool = True) -> list[list[int]]:
    """Indices of `lengths`, longest first, cut so that rows x longest row, padding included, stays in the budget.

    padding: False counts the rows' own tokens, for passes that have none.
    Every index is in exactly one batch; equal lengths keep their order. A row over the budget is a batch of its own.
    The first batch is the widest, so memory that does not suffice shows at once. Raises ConfigError for a budget < 1.
    """
    if token_budget < 1:
        raise ConfigError(f"token_budget is {token_budget}: give at least 1.")
    batches: list[list[int]] = []
    width = tokens = 0  # of a row in the pass, and of all its rows
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        cost = width if padding else lengths[index]
        if batches and tokens + cost <= token_budget:
            batches[-1].append(index)
            tokens += cost
        else:
            batches.append([index])
            width = tokens = lengths[index]
    return batches
