"""Tokens drawn from logits: each as often as it is likely, by its number alone, and top-p as transformers cuts it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import TopPLogitsWarper

from assay.engine.draw_tokens import next_tokens, uniforms

GRID = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000  # one number in the middle of each part of [0, 1)


def shares(logits: torch.Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> torch.Tensor:
    """How much of [0, 1) draws each token."""
    drawn = next_tokens(logits.expand(len(GRID), -1), GRID, temperature=temperature, top_p=top_p)
    return torch.bincount(drawn, minlength=len(logits)).double() / len(GRID)


def test_by_hand() -> None:
    # exp: 4, 1, 3 of 8: the first has [0, 0.5), the second [0.5, 0.625), the third the rest.
    logits = torch.tensor([[4.0, 1.0, 3.0]]).log().expand(5, -1)
    numbers = torch.tensor([0.0, 0.499, 0.501, 0.624, 0.999], dtype=torch.float64)
    assert next_tokens(logits, numbers, temperature=1.0, top_p=1.0).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("size", [3, 255, 256, 257, 1000])
@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
def test_each_token_is_drawn_as_often_as_it_is_likely(size: int, temperature: float) -> None:
    logits = torch.randn(size, generator=torch.Generator().manual_seed(size)) * 3
    wanted = (logits.double() / temperature).softmax(0)
    assert (shares(logits, temperature=temperature) - wanted).abs().max() <= 2e-4


@pytest.mark.parametrize("size", [40, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("top_p", [0.05, *(pytest.param(p, marks=pytest.mark.slow) for p in (0.5, 0.9)), 0.999])
def test_top_p_is_transformers_own(size: int, top_p: float) -> None:
    # Of 3,000 nearly equal tokens the nucleus is longer than what is looked at first.
    for scale in (0.1, 4.0):
        logits = torch.randn(size, generator=torch.Generator().manual_seed(size)) * scale
        cut = TopPLogitsWarper(top_p)(torch.zeros(1, 1, dtype=torch.long), logits.double()[None])[0]
        assert (shares(logits, top_p=top_p) - cut.softmax(0)).abs().max() <= 2e-4


def test_greedy_takes_the_first_of_equals() -> None:
    logits = torch.tensor([[1.0, 5.0, 5.0, 2.0], [7.0, 7.0, 7.0, 7.0]])
    assert next_tokens(logits, torch.tensor([0.9, 0.9]), temperature=0.0, top_p=0.3).tolist() == [1, 0]


def test_what_has_no_probability_is_never_drawn() -> None:
    logits = torch.full((600,), -torch.inf)
    logits[[7, 300]] = 0.0
    for number in (0.0, 0.5, 1.0 - 2**-53):
        for top_p in (1.0, 0.9):
            numbers = torch.tensor([number], dtype=torch.float64)
            assert next_tokens(logits[None], numbers, temperature=1.0, top_p=top_p).item() in {7, 300}


def test_a_row_is_drawn_alike_in_every_company() -> None:
    logits = torch.randn(9, 501, generator=torch.Generator().manual_seed(0))
    numbers = torch.rand(9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for top_p in (1.0, 0.8):
        together = next_tokens(logits, numbers, temperature=0.9, top_p=top_p)
        for n in range(9):
            assert next_tokens(logits[n:], numbers[n:], temperature=0.9, top_p=top_p)[0] == together[n]


def test_numbers_are_the_seed_s_own() -> None:
    assert np.array_equal(uniforms(5, 8), uniforms(5, 20)[:8])
    assert not np.array_equal(uniforms(5, 8), uniforms(6, 8))
