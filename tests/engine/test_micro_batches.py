"""Micro-batches: every row once, padding counted, order kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.micro_batches import micro_batches
from assay.errors import ConfigError


def test_by_hand() -> None:
    # Longest first: 5 alone would allow 2 x 5 = 10; 4 joins (2 x 5 = 10); then 3, 3, 1: 3 x 3 = 9 fits, 4 x 3 does not.
    assert micro_batches([3, 5, 1, 4, 3, 1], 10) == [[1, 3], [0, 4, 2], [5]]


def test_nothing_gives_nothing() -> None:
    assert micro_batches([], 10) == []


def test_a_row_over_the_budget_stands_alone() -> None:
    assert micro_batches([2, 50, 2], 10) == [[1], [0, 2]]


def test_a_budget_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="token_budget is 0"):
        micro_batches([1], 0)


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 200))
def test_every_index_once_within_the_budget_and_stable(lengths: list[int], budget: int) -> None:
    batches = micro_batches(lengths, budget)
    order = [index for batch in batches for index in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert order == sorted(order, key=lambda i: (-lengths[i], i))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget
    for before, after in pairwise(batches):  # cut only where the next row would not fit
        assert (len(before) + 1) * lengths[before[0]] > budget or not after
