"""How far a policy has gone from its reference on answers it wrote: the KL divergence, token by token.

At every place of an answer both models' whole distributions are compared, and the places add up:

    KL(policy || reference) = E over answers of  sum over places of  KL(policy(. | so far) || reference(. | so far))

Over answers sampled from the policy the sum is an unbiased estimate, its variance never above that of the sampled
tokens' log-ratio (Rao-Blackwell); never below 0, too. Source: Amini, Vieira & Cotterell 2025 (2504.10637). Answers cut
at a length estimate the divergence of answers cut at that length. Knows rows and models; knows no prompt.

Letters: N rows, P positions, C positions of one chunk, H hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.engine.forward import hidden_at
from assay.engine.logprobs import chunks, completion_places, logits_of
from assay.engine.output_layer import output_layer
from assay.engine.trie import Row
from assay.models.device_and_mode import evaluating

ESTIMATOR = "Rao-Blackwellised"
Lent = Callable[[], AbstractContextManager[nn.Module]]  # a model for a while: the policy with its adapters off, say


def divergences(
    policy: nn.Module, reference: Lent, rows: Sequence[Row], prompt_tokens: Sequence[int]
) -> NDArray[np.float64]:
    """The divergence from the reference along each row's tokens after its prompt, in nats, float64 (N,), >= 0.

    Its mean over answers sampled from the policy at temperature 1 is the estimate. No gradient. Raises EmptyBatchError
    without rows, InputError for one without a prompt or an answer.
    """
    row_P, place_P = completion_places(rows, prompt_tokens)
    with reference() as other, evaluating(other):
        theirs_PH = hidden_at(other, rows, row_P=row_P, place_P=place_P - 1)
    with evaluating(policy):
        ours_PH = hidden_at(policy, rows, row_P=row_P, place_P=place_P - 1)
    found: list[Tensor] = []
    for part in chunks(len(row_P), len(output_layer(policy).weight_VH)):
        with reference() as other, evaluating(other):
            theirs_CV = logits_of(other, theirs_PH[part]).log_softmax(1)
        with evaluating(policy):
            ours_CV = logits_of(policy, ours_PH[part]).log_softmax(1)
        found.append((ours_CV.exp() * (ours_CV - theirs_CV)).sum(1))
    # Rounding may leave a place a hair below 0 where both models are one.
    token_P = torch.cat(found).double().clamp(min=0).cpu().numpy()
    return np.asarray(np.bincount(row_P, weights=token_P, minlength=len(rows)), dtype=np.float64)
