"""Put the trunk's layers through torch.compile, and run them as they were where that is better.

What a layer does besides matrix products (norms, rotary positions, gates) becomes a few fused loops. Attention over a
trie stays outside: its calls depend on the trie, and it is one call of a library already. Knows models and rows; knows
no loss and no optimiser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from assay.errors import ConfigError
from assay.models.device_and_mode import device_of
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of
from assay.render.encoder import Encoded

# Two rows of 48 tokens that share 16: compiled code is chosen by the shape it meets first, so it always meets this one.
_FIRST = tuple(Encoded(ids=tuple(range(3, 19)) + (ends,) * 32, prompt_tokens=16) for ends in (1, 2))


def compile_layers(model: nn.Module, forward: Callable[[Sequence[Encoded]], Tensor], *, precision: str) -> None:
    """Compile every layer of the trunk in place, for widths of any size, forward and backward.

    forward: runs rows through `model` as training will; any differentiable result. The model's names, weights and saved
    form stay as they are; gradients and random numbers are as before. Raises ConfigError without a C++ compiler where
    one is needed, or if there is no list of layers.
    """
    device = device_of(model).type
    if device == "cpu" and not has_compiler():
        raise ConfigError(
            "train.compile=on needs a C++ compiler on a CPU (g++ or clang++, or one named by CXX), and none was found. "
            "Install one, or leave train.compile off."
        )
    layers = layers_of(model)
    torch.compiler.reset()  # code of earlier models counts against a limit, past which layers run plain without a word
    training = model.training
    model.train()
    devices = range(torch.cuda.device_count()) if device == "cuda" else []
    half = torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16")
    with leaving_gradients(model), torch.random.fork_rng(devices), half:
        with torch.no_grad():
            forward(_FIRST)  # a model is probed for sharing once, and those passes are none to compile for
        for layer in layers:
            layer.compile(dynamic=True)
        forward(_FIRST).sum().backward()  # type: ignore[no-untyped-call]
    model.train(training)


def plain_again(model: nn.Module) -> None:
    """Undo `compile_layers`, and forget the code that was made, also where it stopped half-way."""
    for layer in layers_of(model):
        # nn.Module.compile() has no way back of its own: it keeps the compiled call here, and calls it if it is there.
        layer._compiled_call_impl = None
    torch.compiler.reset()


@contextmanager
def leaving_gradients(model: nn.Module) -> Iterator[None]:
    """Backward passes in here add to no gradient that was there before, and leave none."""
    before = {name: parameter.grad for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = None
    try:
        yield
    finally:
        for name, parameter in model.named_parameters():
            parameter.grad = before[name]


def has_compiler() -> bool:
    """Whether there is the C++ compiler that compiled code for a CPU needs: the one CXX names, g++ or clang++."""
    return any(map(shutil.which, (os.environ.get("CXX") or "g++", "clang++")))


@contextmanager
def plain_layers(switch: Literal["auto", "on", "off"]) -> Iterator[None]:
    """Run compiled layers as they were before: evaluation would be code of its own for every kind of pass."""
    if switch != "on":
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def keeps_its_layers(model: nn.Module) -> bool:
    """Whether the trunk keeps its layers in one list, so that they can be compiled."""
    try:
        layers_of(model)
    except ConfigError:
        return False
    return True


def layers_of(model: nn.Module) -> nn.ModuleList:
    """The trunk's layers, first to last. Raises ConfigError if the trunk does not keep them in one list."""
    trunk = trunk_of(model)
    count = getattr(config_of(trunk), "num_hidden_layers", None)
    for module in trunk.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise ConfigError(
        f"train.compile: {type(trunk).__name__} does not keep its layers in one list. Leave train.compile off."
    )
