"""Where a model stands and in which mode it runs: its device and precision, and evaluation for a while.

Knows torch modules; knows no transformers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's first weight."""
    return next(model.parameters()).device


def dtype_of(model: nn.Module) -> torch.dtype:
    """The precision of the model's first weight that is a number; weights in 4 bit are stored as bytes."""
    return next(parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients; afterwards every part is in the mode it was found in."""
    modes = [(module, module.training) for module in model.modules()]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)  # said to the whole first: a model may do more here than set a mark
        for module, mode in modes:
            module.training = mode
