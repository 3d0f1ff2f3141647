"""A script for torchrun: one step of the engine under DDP or FSDP2. Usage: ... ddp|fsdp2 OUT, written by rank 0."""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from assay.engine.forward import last_hidden
from tests.support.engine_rows import bradley_terry, pairs
from tests.support.tiny_models import reward_model


class Rewards(nn.Module):
    """The module that is wrapped: rows in, rewards out, the trunk reached through the engine."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, rows: list[list[int]]) -> torch.Tensor:
        rewards: torch.Tensor = self.model.score(last_hidden(self.model, rows))[:, 0]
        return rewards


def step(kind: str, *, rank: int, world: int) -> dict[str, torch.Tensor]:
    """Loss and gradients of 8 pairs, every `world`-th on this process, after which gradients are those of all."""
    torch.set_num_threads(1)
    module: Any = Rewards(reward_model("llama"))
    if kind == "ddp":
        module = nn.parallel.DistributedDataParallel(module)
    elif kind == "fsdp2":
        from torch.distributed.fsdp import fully_shard

        for layer in module.model.model.layers:
            fully_shard(layer)
        fully_shard(module)
    every = pairs(8)
    rows = [row for pair in range(rank, 8, world) for row in every[2 * pair : 2 * pair + 2]]
    loss = bradley_terry(module(rows))
    loss.backward()
    total = loss.detach().clone()
    if world > 1:
        torch.distributed.all_reduce(total)
    gradients = {}
    for name, parameter in module.named_parameters():
        gradient = parameter.grad
        assert gradient is not None
        gradients[name.removeprefix("module.")] = gradient.full_tensor() if isinstance(gradient, DTensor) else gradient
    return {"loss": total / world, **gradients}


if __name__ == "__main__":
    torch.distributed.init_process_group("gloo")
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    found = step(sys.argv[1], rank=number, world=count)
    if number == 0:
        torch.save(found, sys.argv[2])
    torch.distributed.destroy_process_group()
