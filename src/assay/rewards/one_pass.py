"""One pass over some rows, and all that is read from it: rewards, what the head read, log-probabilities of answers.

Decoders: hidden states are asked for once, shared tokens once, at each row's last token and, for rows that are to be
spoken, before every token of the answer. Encoders: the model's own head runs, and what its last layer reads is kept.
Knows a reward model and rows; knows no pair and no loss. Letters: N rows, P tokens of spoken answers, H hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from assay.engine.forward import hidden_at, plain_hidden_at
from assay.engine.logprobs import completion_places
from assay.errors import ConfigError
from assay.models.head import last_layer
from assay.render.encoder import Encoded
from assay.rewards.language_head import LanguageHead
from assay.rewards.padded_forward import check_rows
from assay.rewards.reward_head import pooled_places, read_rewards
from assay.rewards.reward_model import RewardModel, Sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """reward_N: as RewardModel.rewards. hidden_NH: what the head's last layer read. logprob_S: of spoken answers."""

    reward_N: Tensor
    hidden_NH: Tensor
    logprob_S: Tensor | None = None


def one_pass(
    reward_model: RewardModel,
    rows: Sequence[Encoded],
    *,
    sharing: Sharing,
    spoken: Sequence[int] = (),
    language: LanguageHead | None = None,
) -> Read:
    """Everything in one forward pass, differentiable.

    spoken: places of rows whose answer's log-probability is wanted, in nats and summed over its tokens; needs
    `language`. Raises ConfigError for a model whose reward is not a linear layer's on one vector a row.
    """
    check_rows(reward_model.model, rows)
    if reward_model.renderer.kind == "encoder":
        assert not spoken, "an encoder speaks no answer"
        return _of_encoder(reward_model, rows, sharing)
    if not reward_model.reads_one_token:
        raise ConfigError(
            "regularise: the reward of this base is not read off one token by a linear layer, so neither a text loss "
            "nor a second head can stand beside it. Take another base, or leave regularise.text and .odin out."
        )
    run = hidden_at if reward_model.layout(rows, sharing=sharing) == "shared" else plain_hidden_at
    ids = [row.ids for row in rows]
    row_P, place_P = np.arange(len(ids)), pooled_places(reward_model.model, rows)
    if not spoken:
        hidden_NH = run(reward_model.model, ids, row_P=row_P, place_P=place_P)
        return Read(reward_N=read_rewards(reward_model.model, hidden_NH), hidden_NH=hidden_NH)
    assert language is not None
    said = [rows[place] for place in spoken]
    which_Q, at_Q = completion_places([row.ids for row in said], [row.prompt_tokens for row in said])
    hidden_PH = run(
        reward_model.model,
        ids,
        row_P=np.concatenate([row_P, np.asarray(spoken)[which_Q]]),
        place_P=np.concatenate([place_P, at_Q - 1]),  # a token is foretold by the one before it
    )
    hidden_NH, before_QH = hidden_PH[: len(ids)], hidden_PH[len(ids) :]
    label_Q = torch.tensor([token for row in said for token in row.ids[row.prompt_tokens :]], device=hidden_PH.device)
    logprob_Q = language.logprobs(before_QH, label_Q)
    logprob_S = logprob_Q.new_zeros(len(said)).index_add(0, torch.from_numpy(which_Q).to(logprob_Q.device), logprob_Q)
    return Read(reward_N=read_rewards(reward_model.model, hidden_NH), hidden_NH=hidden_NH, logprob_S=logprob_S)


def _of_encoder(reward_model: RewardModel, rows: Sequence[Encoded], sharing: Sharing) -> Read:
    reward_model.layout(rows, sharing=sharing)  # the first time this probes the model, whose passes are not to be seen
    with _read_by(last_layer(reward_model.model)) as seen:
        reward_N = reward_model.rewards(rows, sharing=sharing)
    if len(seen) != 1 or seen[0].shape[:-1] != reward_N.shape:
        raise ConfigError(
            "regularise.odin: the head of this base does not read one vector a row, so a second one cannot stand "
            "beside it. Take another base."
        )
    return Read(reward_N=reward_N, hidden_NH=seen[0])


@contextmanager
def _read_by(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What the layer is given, call by call."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        hook.remove()
