"""Find the head of a reward model, its last linear layer, and run it in float32. Knows modules; knows no rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from assay.errors import ModelError
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of, unwrap


def head_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """The last layer of the head: linear, outside the trunk, with one output or one an objective.

    With PEFT, its original and trained copies.
    """
    inner = unwrap(model)
    # A configuration that was never told of outputs says 2, and its head may still have one.
    return _with_outputs(inner, outputs_of(model)) or _with_outputs(inner, 1)


def outputs_of(model: nn.Module) -> int:
    """How many figures the head gives a row: 1, or one an objective."""
    stated = getattr(config_of(unwrap(model)), "num_labels", None)
    return stated if isinstance(stated, int) and stated > 0 else 1


def objectives_of(model: nn.Module) -> tuple[str, ...]:
    """The names of a model's outputs, one an objective; none where it has one output."""
    outputs = outputs_of(model)
    labels = config_of(unwrap(model)).id2label
    return () if outputs == 1 else tuple(str(labels[number]) for number in range(outputs))


def by_output(logits_NK: Tensor) -> Tensor:
    """A head's figures: shape (N,) where there is one a row, else (N, K), one an objective."""
    return logits_NK[:, 0] if logits_NK.shape[1] == 1 else logits_NK


def _with_outputs(inner: nn.Module, outputs: int) -> dict[str, nn.Linear]:
    trunk = {id(module) for module in trunk_of(inner).modules()}
    # By structure and not by name: families call it score, classifier.out_proj, classifier.dense and more.
    return {
        name: module
        for name, module in inner.named_modules()
        if isinstance(module, nn.Linear) and module.out_features == outputs and id(module) not in trunk
    }


def last_layer(model: nn.Module) -> nn.Linear:
    """The layer that gives the reward; of PEFT's two copies the trained one. Raises ModelError if there is none."""
    layers = head_layers(model)
    if not layers:
        raise ModelError(f"{type(unwrap(model)).__name__} has no linear head with one output that assay knows.")
    trained = [layer for name, layer in layers.items() if ".modules_to_save." in name]
    return trained[0] if trained else next(iter(layers.values()))


def float32_linear(layer: nn.Linear, hidden: Tensor) -> Tensor:
    """The layer's output in float32, whatever autocast or the trunk's precision say."""
    with torch.autocast(hidden.device.type, enabled=False):
        bias = None if layer.bias is None else layer.bias.float()
        return nn.functional.linear(hidden.float(), layer.weight.float(), bias)


@contextmanager
def float32_head(model: nn.Module) -> Iterator[None]:
    """Within it, the head's last layer gives float32 although autocast or the trunk have less."""
    with ExitStack() as hooks:
        for layer in head_layers(model).values():
            hooks.callback(layer.register_forward_hook(_again_in_float32).remove)
        yield


def _again_in_float32(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
    # Nothing to mend; and a hook that returns None leaves the output, and its place in the graph, as it is.
    if output.dtype == torch.float32:
        return None
    assert isinstance(layer, nn.Linear)
    return float32_linear(layer, inputs[0])
