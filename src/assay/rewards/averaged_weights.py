"""Reward models of one architecture -> one whose weights are the mean of theirs, a plain model like any other.

Seeds of one recipe that started from one base lie near each other, and their mean is steadier than each and costs one
forward pass (WARM, Ramé et al. 2024, 2401.12187). Knows weights; knows no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from assay.errors import InputError, ModelError
from assay.rewards.reward_model import RewardModel


def averaged_model(models: Sequence[Path | str], *, device: str = "cpu") -> RewardModel:
    """The mean of several reward models' weights, with the renderer that all of them share.

    Raises InputError for fewer than two, ModelError where their rows, or the names and shapes of their weights, differ,
    and what loading raises.
    """
    if len(models) < 2:
        raise InputError(f"{len(models)} model: nothing to average. Name two at least, or a run of several seeds.")
    first = RewardModel.load(models[0])
    state = first.model.state_dict()
    # Summed in float64: ten bfloat16 weights added up in their own type would lose what tells them apart.
    sums = {name: tensor.double() for name, tensor in state.items() if tensor.is_floating_point()}
    for one in models[1:]:
        other = RewardModel.load(one)
        if other.renderer.hash != first.renderer.hash:
            raise ModelError(f"{one} renders other rows than {models[0]} (tokenizer or template differ).")
        _refuse_other_shapes(state, other.model.state_dict(), first=models[0], other=one)
        for name, tensor in other.model.state_dict().items():
            if name in sums:
                sums[name] += tensor.double()
    mean = {name: (total / len(models)).to(state[name].dtype) for name, total in sums.items()}
    first.model.load_state_dict({**state, **mean})
    first.model.to(device)
    return RewardModel(first.model, first.renderer, origin=first.origin)


def _refuse_other_shapes(
    state: dict[str, Tensor], other_state: dict[str, Tensor], *, first: Path | str, other: Path | str
) -> None:
    differ = sorted(state.keys() ^ other_state.keys())
    differ += [name for name in state.keys() & other_state.keys() if state[name].shape != other_state[name].shape]
    differ += [
        name
        for name in state.keys() & other_state.keys()
        if name not in differ
        and not state[name].is_floating_point()
        and not torch.equal(state[name], other_state[name])
    ]
    if differ:
        raise ModelError(
            f"{other} has another architecture than {first}: {len(differ)} weights differ in name or shape, the first "
            f"is {differ[0]}. Average models of one base; for others there is ensemble:{first},{other}."
        )
