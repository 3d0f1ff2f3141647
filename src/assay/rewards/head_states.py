"""What a reward model's head reads of each row: the input of its last linear layer, and the reward made of it.

Decoders are run as for rewards, prompts once, and the state of the pooled token is taken; of every other model the
layer's own input is caught while it runs. Either way the states are held against the rewards: what the last layer makes
of them must be the reward, or there are none. Inference only. Knows a reward model and rendered rows; knows no text.

Letters: N rows, T tokens of the longest row, H inputs of the head's last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.engine.forward import hidden_at
from assay.engine.headers import Headers, packs_with_headers
from assay.engine.micro_batches import micro_batches, pass_tokens
from assay.errors import ModelError
from assay.models.device_and_mode import evaluating
from assay.models.head import float32_linear, last_layer, objectives_of
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import check_rows
from assay.rewards.reward_head import pooled_places, read_rewards
from assay.rewards.reward_model import RewardModel, Sharing

_NEAR = 1e-3  # of the reward, and of 0.1 where it is smaller


@dataclass(frozen=True, slots=True, eq=False)
class HeadStates:
    """rewards (N,) and states (N, H), float32, in the order of the rows."""

    rewards: NDArray[np.float32]
    states: NDArray[np.float32]


def head_states(
    model: RewardModel,
    rows: Sequence[Encoded],
    *,
    micro_tokens: int | None = None,
    sharing: Sharing = "on",
    headers: Headers | None = None,
) -> HeadStates:
    """Rewards and head states of rows, those that are equal run once; the rewards are bit for bit `model.score`'s.

    headers: what is kept of this model from an earlier call.

    Raises ModelError where the model has no last linear layer with one output, or its reward is not what that layer
    makes of one vector a row.
    """
    distinct = {row: number for number, row in enumerate(dict.fromkeys(rows))}
    if heads := objectives_of(model.model):
        raise ModelError(f"the model has heads for {', '.join(heads)}; states are told where there is one reward")
    layer = last_layer(model.model)
    unique = list(distinct)
    check_rows(model.model, unique)
    found: list[tuple[list[int], Tensor, Tensor]] = []
    with evaluating(model.model):
        layout = model.layout(unique, sharing=sharing)
        budget = pass_tokens(micro_tokens, model.device.type, layout)
        if layout == "shared":
            groups = [[row.ids] for row in unique]
            for batch, header in packs_with_headers(model.model, groups, token_budget=budget, headers=headers):
                ids = [unique[place].ids for place in batch]
                places = pooled_places(model.model, [unique[place] for place in batch])
                states = hidden_at(model.model, ids, row_P=np.arange(len(ids)), place_P=places, header=header)
                found.append((batch, read_rewards(model.model, states).cpu(), states.float().cpu()))
        else:
            for batch in micro_batches([len(row.ids) for row in unique], budget, padding=layout == "padded"):
                several = [unique[place] for place in batch]
                rewards, states = caught(model, several, layer, sharing=sharing)
                found.append((batch, rewards.cpu(), states.cpu()))
    order = np.argsort(np.concatenate([batch for batch, _, _ in found]))
    again = [distinct[row] for row in rows]
    return HeadStates(
        rewards=torch.cat([rewards for _, rewards, _ in found]).numpy()[order][again],
        states=torch.cat([states for _, _, states in found]).numpy()[order][again],
    )


def caught(model: RewardModel, rows: Sequence[Encoded], layer: nn.Linear, *, sharing: Sharing) -> tuple[Tensor, Tensor]:
    """Rewards of one pass and the inputs of `layer` in it, (N,) and (N, H)."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].detach()))
    try:
        rewards = model.rewards(rows, sharing=sharing)
    finally:
        hook.remove()
    states = of_rows(model.model, rows, seen)
    made = None if states is None else float32_linear(layer, states)[:, 0]
    if states is None or made is None or bool(((made - rewards).abs() > _NEAR * rewards.abs().clamp(min=0.1)).any()):
        raise ModelError("the model's reward is not what its last layer makes of one vector a row")
    return rewards, states.float()


def of_rows(model: nn.Module, rows: Sequence[Encoded], seen: Sequence[Tensor]) -> Tensor | None:
    """One vector a row of what the layer was given: as it is, or at the pooled token of right-padded rows."""
    if len(seen) != 1:  # a batch that was run in parts, in an order of its own
        return None
    (given,) = seen
    if given.ndim == 2 and len(given) == len(rows):
        return given
    if given.ndim == 3 and len(given) == len(rows):
        places = torch.from_numpy(pooled_places(model, rows)).to(given.device)
        return given[torch.arange(len(rows), device=given.device), places]
    return None
