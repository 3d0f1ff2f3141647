"""The one probe: two ways through a model, equal or not, whatever mode and precision it was found in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from assay.models.self_probe import agrees, largest, probe_rows
from tests.support.tiny_models import reward_model

FINE = 1e-4, 5e-2


def probed(ours: Tensor | None, *, theirs: Tensor | None = None, dtype: torch.dtype = torch.float32) -> bool:
    model = reward_model("llama", dtype=dtype)
    expected = torch.tensor([0.0, -2.0]) if theirs is None else theirs
    return agrees(model, lambda: expected, lambda: ours, scale=largest, tolerance=FINE)


def test_by_hand() -> None:
    # The largest figure is 2, so float32 may differ by 2 * 1e-4 anywhere, and 16 bit by 0.1.
    assert probed(torch.tensor([0.00019, -2.0]))
    assert not probed(torch.tensor([0.00021, -2.0]))
    assert probed(torch.tensor([0.09, -2.0]), dtype=torch.bfloat16)
    assert not probed(torch.tensor([0.11, -2.0]), dtype=torch.bfloat16)


@pytest.mark.parametrize("ours", [None, torch.zeros(3), torch.tensor([0.0, float("nan")])])
def test_what_cannot_be_compared_is_no_agreement(ours: Tensor | None) -> None:
    assert not probed(ours)


def test_zeros_agree_with_zeros_only() -> None:
    assert probed(torch.zeros(2), theirs=torch.zeros(2))
    assert not probed(torch.tensor([0.0, 1e-6]), theirs=torch.zeros(2))


def test_both_ways_run_evaluated_without_gradients_and_without_autocast() -> None:
    model = reward_model("llama").train()
    seen = []

    def way() -> Tensor:
        seen.append((model.training, torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")))
        return torch.zeros(1)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert agrees(model, way, way, scale=largest, tolerance=FINE)
    assert seen == [(False, False, False)] * 2
    assert model.training


def test_rows_stay_in_the_vocabulary_and_avoid_what_they_must() -> None:
    model = reward_model("llama")
    assert probe_rows(model) == [[28, 9, 38, 9, 48, 19], [28, 9, 38, 19, 19, 57, 48]]  # tenths of 96
    assert probe_rows(model, without=9)[0] == [28, 10, 38, 10, 48, 19]
    model.resize_token_embeddings(4, mean_resizing=False)
    assert max(max(row) for row in probe_rows(model)) < 4
