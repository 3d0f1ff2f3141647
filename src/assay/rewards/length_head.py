"""ODIN's second head: a vector beside the reward's own head, trained with it and left behind when the model is saved.

It hangs on the transformers model, so that optimiser, checkpoints and devices treat it as a part of it; it is no linear
layer of one output, so that nobody takes it for the head. Knows modules; knows no loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from assay.models.head import last_layer
from assay.models.wrappers import unwrap

NAME = "assay_length_head"
SPREAD = 0.02  # as new heads are drawn


class LengthHead(nn.Module):
    """rewards = hidden @ weight, in float32; hidden (N, H) is what the reward's own last layer reads."""

    def __init__(self, size: int, *, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed((seed + 1) % 2**63)  # not the numbers of the reward's own head
        self.weight = nn.Parameter(torch.zeros(size).normal_(0.0, SPREAD, generator=draw))

    def forward(self, hidden_NH: Tensor) -> Tensor:
        with torch.autocast(hidden_NH.device.type, enabled=False):
            return hidden_NH.float() @ self.weight.float()


def add_length_head(model: nn.Module, *, seed: int) -> LengthHead:
    """Hang a new one, drawn from `seed`, on the model."""
    head = LengthHead(last_layer(model).in_features, seed=seed)
    unwrap(model).add_module(NAME, head)
    return head


def length_head(model: nn.Module) -> LengthHead | None:
    found = getattr(unwrap(model), NAME, None)
    return found if isinstance(found, LengthHead) else None


@contextmanager
def without_length_head(model: nn.Module) -> Iterator[None]:
    """Within it, the model is as plain transformers has it."""
    inner, head = unwrap(model), length_head(model)
    if head is None:
        yield
        return
    delattr(inner, NAME)
    try:
        yield
    finally:
        inner.add_module(NAME, head)
