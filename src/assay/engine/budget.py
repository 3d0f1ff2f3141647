"""Token-budget micro-batches. Knows lengths; knows no ids and no model."""

from __future__ import annotations

from collections.abc import Sequence

from assay.errors import ConfigError


def micro_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Indices of rows in micro-batches of at most `token_budget` tokens, padding to the longest row included.

    Rows are sorted by length, longest first, so that padding is small and the largest batch runs first; ties keep
    their order. Every index is in exactly one batch; a single row over the budget is a batch of its own.
    Raises ConfigError for a budget below 1.
    """
    if token_budget < 1:
        raise ConfigError(f"the token budget is {token_budget}: give at least 1.")
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= token_budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
