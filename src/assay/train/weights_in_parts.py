"""Weights of which every process holds a part (FSDP2): taken apart, whole for a while, and as checkpoints hold them.

What stands in a checkpoint is whole, so that any number of processes goes on from it, one among them. Each function
that gathers has to be called by all processes at once. Knows modules and optimisers; knows no loss and no file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from assay.engine.compiled import keeps_its_layers, layers_of
from assay.engine.pass_rules import rope_switch
from assay.errors import ArtifactError, ConfigError
from assay.models.wrappers import unwrap


def take_apart(module: nn.Module, model: nn.Module, *, device: torch.device, parts_between: bool, longest: int) -> None:
    """Leave every process its part of the parameters of `module`, which runs `model`; in place.

    A layer of the trunk is gathered when it runs; all else (embeddings, head, the last norm) when `module` does.
    parts_between: whether a layer's weights are given up after its forward pass. longest: tokens of the longest row.
    Raises ConfigError for weights of 4 bit, and for rows that one pass of this model cannot hold together.
    """
    if getattr(unwrap(model), "is_loaded_in_4bit", False):
        raise ConfigError(
            "model.tuning=qlora: weights of 4 bit cannot be held in parts. Train with whole weights "
            "(examples/accelerate/ddp.yaml), or take model.tuning=lora."
        )
    switch = rope_switch(model)
    if switch is not None and longest > switch:
        raise ConfigError(
            f"This model turns positions otherwise in rows of more than {switch} tokens, so that they run in passes of "
            "their own, which one process would gather weights for and another not. Lower model.max_tokens to "
            f"{switch}, or train with whole weights (examples/accelerate/ddp.yaml)."
        )
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    for layer in layers_of(model) if keeps_its_layers(model) else ():
        fully_shard(layer, mesh=mesh, reshard_after_forward=parts_between)
    # Head and embeddings are read by their weights and not by calls of their own: they are whole while `module` runs.
    fully_shard(module, mesh=mesh, reshard_after_forward=False)


def whole(tensor: Tensor) -> Tensor:
    """A tensor gathered from all processes; as it is where nobody holds a part."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def trained(module: nn.Module, *, keeps: bool) -> dict[str, Tensor]:
    """The parameters that are trained, whole and in main memory, by name; none where `keeps` is False.

    Of several processes one keeps them: the others take part, or it could not gather.
    """
    found = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            # One at a time, so that a device with a part of each never holds more than one whole.
            value = whole(parameter.detach())
            if keeps:
                found[name] = value.cpu().contiguous()
    return found


@torch.no_grad()
def put_back(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give parameters the values that `trained` had of them; of each a process takes its part.

    Raises ArtifactError where one that is trained is not among them: it would go on from where it was drawn.
    """
    parameters = {name: one for name, one in module.named_parameters() if one.requires_grad}
    missing = sorted(parameters.keys() - weights.keys())
    if missing:
        raise ArtifactError(
            f"A checkpoint lacks {len(missing)} of {len(parameters)} trained weights, {missing[0]} among them: another "
            "version of transformers or peft wrote it, which names them otherwise. Go on with that version, or train "
            "in another folder."
        )
    for name, parameter in parameters.items():
        parameter.copy_(_held_as(weights[name], parameter))


def optimiser_state(optimiser: torch.optim.Optimizer, *, keeps: bool) -> dict[str, Any]:
    """The state_dict of an optimiser, whole and in main memory, as one process would have it. keeps: as `trained`."""
    found: dict[str, Any] = optimiser.state_dict()
    states: dict[int, dict[str, Any]] = {}
    for number, state in found["state"].items():
        for name, value in state.items():
            one = whole(value) if isinstance(value, Tensor) else value
            if keeps:
                states.setdefault(number, {})[name] = one.cpu() if isinstance(one, Tensor) else one
    return {**found, "state": states}


def put_back_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Give an optimiser what `optimiser_state` had of it."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    states = {
        number: {
            name: _held_as(value, parameters[number]) if isinstance(value, Tensor) and value.ndim else value
            for name, value in one.items()
        }
        for number, one in state["state"].items()
    }
    optimiser.load_state_dict({**state, "state": states})


def _held_as(value: Tensor, parameter: Tensor) -> Tensor:
    """A whole tensor as a parameter of its shape is held here."""
    value = value.to(parameter.device)
    if not isinstance(parameter, DTensor):
        return value
    # Every process has all of it, and cuts out its own part: nothing is sent.
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)


class Whole:
    """A model beside the one that is taken apart, of the same modules, without weights except when they are lent.

    Made before: what is taken apart cannot be copied, merged or saved, nor can a process run it without the others.
    """

    def __init__(self, model: nn.Module) -> None:
        empty = {id(p): nn.Parameter(p.data.new_empty(0), p.requires_grad) for p in model.parameters()}
        # A copy takes from the memo what it finds there, so no weight is copied, and tied ones stay one.
        self.model = copy.deepcopy(model, dict(empty))

    @contextmanager
    def lent(self, parts: nn.Module) -> Iterator[nn.Module]:
        """The whole model with the weights `parts` has now."""
        theirs = dict(parts.named_parameters())
        for name, parameter in self.model.named_parameters():
            parameter.data = whole(theirs[name].detach())
        for name, buffer in self.model.named_buffers():
            buffer.data = parts.get_buffer(name).data
        try:
            yield self.model
        finally:
            for parameter in self.model.parameters():
                parameter.data = parameter.data.new_empty(0)
