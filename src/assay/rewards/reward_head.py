"""Read rewards off hidden states: which token of a row the head looks at, and its last layer, in float32.

Whoever runs rows asks for hidden states once, and each objective's head, an output of one layer, reads its own figure
from them. Knows the head of a sequence-classification model; runs no trunk.

Letters: N rows, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.models.head import by_output, float32_linear, head_layers, last_layer
from assay.models.self_probe import agrees, probe_rows
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import pad_id, rewards_padded

_TOLERANCE = 1e-3, 1e-3  # of the reward, and of 0.1 where it is smaller: a new head's rewards are close to 0


def pooled_places(model: nn.Module, rows: Sequence[Encoded]) -> NDArray[np.int64]:
    """Which token of each row a decoder's head reads, by transformers' rule: the last that is not padding; shape (N,).

    Models that assay trains never end a row with their padding token. Others may, and then this is what they learnt.
    """
    pad = pad_id(model)
    places = []
    for row in rows:
        last = len(row.ids) - 1
        while last > 0 and row.ids[last] == pad:
            last -= 1
        places.append(last)
    return np.array(places, dtype=np.int64)


def read_rewards(model: nn.Module, hidden_NH: Tensor) -> Tensor:
    """Rewards from the hidden states at `pooled_places`, float32, shape (N,); (N, K) of K objectives."""
    return by_output(float32_linear(last_layer(model), hidden_NH))


def reads_one_token(model: nn.Module, shared: Callable[[Sequence[Encoded]], Tensor]) -> bool:
    """Whether the reward is one linear layer on one token's hidden state, as it is for most decoders.

    shared: rewards of rows read in that way, which must be those that transformers' own pooling gives.
    """
    if not head_layers(model):
        return False
    rows = [Encoded(ids=tuple(ids), prompt_tokens=1) for ids in probe_rows(model, without=pad_id(model))]
    return agrees(
        model,
        lambda: rewards_padded(model, rows),
        lambda: shared(rows),
        scale=lambda reward_N: reward_N.abs() + 0.1,
        tolerance=_TOLERANCE,
    )
