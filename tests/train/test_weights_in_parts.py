"""What a checkpoint holds of trained weights and of the optimiser comes back, or is missed; parts are tried by two
processes (test_several_processes.py)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from assay.errors import ArtifactError
from assay.train.weights_in_parts import put_back, trained


def module() -> nn.Module:
    found = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    found[0].weight.requires_grad_(False)
    return found


def test_trained_weights_come_back_and_frozen_ones_stay() -> None:
    a, b = module(), module()
    frozen = b[0].weight.clone()
    kept = trained(a, keeps=True)
    assert kept.keys() == {"0.bias", "1.weight", "1.bias"}
    assert trained(a, keeps=False) == {}
    put_back(b, kept)
    assert all(torch.equal(value, dict(a.named_parameters())[name]) for name, value in trained(b, keeps=True).items())
    assert torch.equal(b[0].weight, frozen)


def test_a_trained_weight_that_a_checkpoint_lacks_is_missed() -> None:
    """Under another name it would be left as it was drawn, and nobody would know."""
    kept = trained(module(), keeps=True)
    kept["1.renamed"] = kept.pop("1.weight")
    with pytest.raises(ArtifactError, match=r"lacks 1 of 3 trained weights, 1\.weight among them"):
        put_back(module(), kept)
