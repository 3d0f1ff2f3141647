"""Cut rows into micro-batches within a budget of tokens: which rows share a forward pass. Knows lengths; no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from assay.errors import ConfigError

# On a CPU, activations that stay near the cores' caches: decoders run 2,048 tokens faster than 4,096, in less memory.
# Rows side by side are encoders', which are narrower and call attention once for every length: fewer passes pay
# (`minilm` on two cores: 7% a token with AVX-512, nothing without).
PASS_TOKENS, SIDE_BY_SIDE_TOKENS = 2048, 4096
GPU_PASS_TOKENS = 16_384

# How rows stand in one pass: each shared token once; one after the other, nothing shared; or padded to the longest.
Layout = Literal["shared", "side by side", "padded"]


def pass_tokens(asked: int | None, device: str, layout: Layout) -> int:
    """Tokens of one forward pass: as asked for, else what suits the device type (`cpu`, `cuda`, ...) and the layout."""
    if asked is not None:
        return asked
    if device != "cpu":
        return GPU_PASS_TOKENS
    return SIDE_BY_SIDE_TOKENS if layout == "side by side" else PASS_TOKENS


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
