"""AdamW with its parameter groups, the learning-rate schedule, and how many threads to use. Knows no pair."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from assay.errors import TrainingError
from assay.models.wrappers import trunk_of
from assay.train.config import TrainConfig


def head_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trained parameters outside the trunk, by name. Raises TrainingError if there are none: a random head."""
    trunk = {id(parameter) for parameter in trunk_of(getattr(model, "inner", model)).parameters()}
    head = {n: p for n, p in model.named_parameters() if id(p) not in trunk and p.requires_grad}
    if not head:
        raise TrainingError(
            "No parameter of the reward head requires a gradient: the head would stay random. "
            "With PEFT, put the head into modules_to_save."
        )
    return head


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Fused AdamW: trunk and head at their own rates, no weight decay on biases and norms."""
    head = {id(parameter) for parameter in head_parameters(model).values()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            rate = (
                (config.head_learning_rate or config.learning_rate) if id(parameter) in head else config.learning_rate
            )
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


def snapshot(parameters: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """Copies of parameters in main memory, to see later whether they changed."""
    return {name: parameter.detach().clone().cpu() for name, parameter in parameters.items()}


@contextmanager
def threads_within_quota() -> Iterator[int]:
    """Not more torch threads than this process may use: in a container with a CPU quota, torch would take too many."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, _cpus()))
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def _cpus() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or its quota is "max"
        return cores
