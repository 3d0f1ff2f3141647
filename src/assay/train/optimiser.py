"""AdamW with its parameter groups, and the learning-rate schedule. Knows parameters; knows no method and no data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import nn

from assay.train.config import TrainConfig


def adamw(model: nn.Module, config: TrainConfig, *, head: Mapping[str, nn.Parameter]) -> torch.optim.AdamW:
    """Fused AdamW: trunk and head at their own rates, no weight decay on biases and norms."""
    own = {id(parameter) for parameter in head.values()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            rate = (config.head_learning_rate or config.learning_rate) if id(parameter) in own else config.learning_rate
            # Matrices only: decay would pull biases and the scales of norms to 0, where they mean something else.
            decay = config.weight_decay if parameter.ndim >= 2 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()],
        fused=True,
    )


def schedule_factor(config: TrainConfig, steps: int) -> Callable[[int], float]:
    """The share of the learning rate that step 0, 1, ... takes: up over the warm-up, then as the schedule says.

    No step has rate 0: the first already takes 1/(warm-up + 1), and the last of a linear schedule is above 0.
    """
    warmup = math.floor(config.warmup * steps)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        left = max(steps - step, 0) / max(steps - warmup, 1)  # 1 after the warm-up, 1/(steps - warmup) at the end
        if config.schedule == "linear":
            return left
        if config.schedule == "cosine":
            return 0.5 * (1 - math.cos(math.pi * left))
        return 1.0

    return factor
