"""Evaluation for a while leaves every part in the mode it was found in; precision and device are the weights'."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from assay.models.device_and_mode import device_of, dtype_of, evaluating


def parts() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 1))
    model.train()
    model[0].eval()  # frozen by its owner
    return model


def test_every_part_goes_back_to_its_own_mode_even_after_an_error() -> None:
    model = parts()

    def fail() -> None:
        with evaluating(model):
            assert not any(module.training for module in model.modules())
            assert not model(torch.ones(1, 2)).requires_grad
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [module.training for module in model.modules()] == [True, False, True, True]
    assert model(torch.ones(1, 2)).requires_grad


def test_a_model_in_evaluation_stays_there() -> None:
    model = parts().eval()
    with evaluating(model):
        pass
    assert not any(module.training for module in model.modules())


def test_precision_is_that_of_weights_that_are_numbers() -> None:
    model = nn.Linear(2, 2)
    model.packed = nn.Parameter(torch.zeros(2, dtype=torch.uint8), requires_grad=False)
    model.weight = nn.Parameter(model.weight.bfloat16())
    assert dtype_of(model) == torch.bfloat16
    assert device_of(model).type == "cpu"
