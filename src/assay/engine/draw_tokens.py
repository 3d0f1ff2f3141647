"""Logits and one number from [0, 1) a row to one token a row: the likeliest, or drawn by temperature and top-p.

The number decides: the token is the one in whose share of the probability it falls, in the order of token ids (under
top-p: of probability). So what is drawn depends on the row's logits and its number alone. Knows logits; no model.

Letters: M rows, V vocabulary, B blocks.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

BLOCK = 256  # tokens whose probabilities are summed first: a sum over the whole vocabulary in float64 costs more
FIRST = 512  # tokens among which top-p is looked for before all are sorted


def uniforms(seed: int, count: int) -> NDArray[np.float64]:
    """The numbers of one answer, from [0, 1): by its seed alone (Philox, Salmon et al. 2011)."""
    return np.random.Generator(np.random.Philox(key=seed)).random(count)


def next_tokens(logits_MV: Tensor, uniform_M: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """One token a row, shape (M,). temperature 0: the likeliest, of several the first; else by its probability.

    top_p below 1: drawn among the fewest likeliest tokens that hold so much of the probability (Holtzman et al. 2020).
    """
    if temperature == 0:
        return logits_MV.argmax(dim=-1)
    # Filled up to whole blocks first: of a row's end, which would come to lie elsewhere in each batch, torch computes
    # exponentials one by one and with other last bits than by vectors.
    filled_MV = pad(logits_MV, (0, -logits_MV.shape[1] % BLOCK), value=-torch.inf)
    weight_MV = filled_MV.sub(logits_MV.amax(dim=-1, keepdim=True)).div_(temperature).exp_()
    return _by_weight(weight_MV, uniform_M) if top_p == 1 else _by_top_p(weight_MV, uniform_M, top_p)


def _by_weight(weight_MV: Tensor, uniform_M: Tensor) -> Tensor:
    weight_MBN = weight_MV.view(len(weight_MV), -1, BLOCK)
    total_MB = weight_MBN.sum(dim=-1).double().cumsum(dim=-1)
    wanted_M1 = (uniform_M * total_MB[:, -1])[:, None]
    block_M1 = _reached(total_MB, wanted_M1)
    before_M1 = pad(total_MB, (1, 0)).gather(1, block_M1)
    inside_MN = weight_MBN.gather(1, block_M1[:, :, None].expand(-1, -1, BLOCK))[:, 0]
    inside_M1 = _reached(inside_MN.double().cumsum(dim=-1), wanted_M1 - before_M1)
    return (block_M1 * BLOCK + inside_M1)[:, 0]


def _by_top_p(weight_MV: Tensor, uniform_M: Tensor, top_p: float) -> Tensor:
    whole_M1 = weight_MV.double().sum(dim=-1, keepdim=True)
    first_MN, ids_MN = weight_MV.topk(min(FIRST, weight_MV.shape[1]), dim=-1)
    found_M = torch.empty(len(weight_MV), dtype=torch.long, device=weight_MV.device)
    # Left to sort are rows whose nucleus does not end among the first, with a less likely token seen after it.
    enough_M = _nucleus(first_MN, whole_M1, top_p)[1] & (first_MN.shape[1] < weight_MV.shape[1])
    for some_M, weights, ids in (
        (enough_M, first_MN[enough_M], ids_MN[enough_M]),
        (~enough_M, *weight_MV[~enough_M].sort(dim=-1, descending=True, stable=True)),
    ):
        if len(weights):
            found_M[some_M] = _of_nucleus(weights, ids, whole_M1[some_M], uniform_M[some_M, None], top_p)
    return found_M


def _of_nucleus(weights_MN: Tensor, ids_MN: Tensor, whole_M1: Tensor, uniform_M1: Tensor, top_p: float) -> Tensor:
    # Equal weights stand by their ids, which topk does not promise.
    by_id_MN = ids_MN.argsort(dim=-1)
    sorted_MN, order_MN = weights_MN.gather(1, by_id_MN).sort(dim=-1, descending=True, stable=True)
    total_MN = _nucleus(sorted_MN, whole_M1, top_p)[0].cumsum(dim=-1)
    place_M1 = _reached(total_MN, uniform_M1 * total_MN[:, -1:])
    return ids_MN.gather(1, by_id_MN).gather(1, order_MN).gather(1, place_M1)[:, 0]


def _nucleus(weights_MN: Tensor, whole_M1: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Weights, sorted downwards, in float64 and zero outside the nucleus; and whether the nucleus ends before the
    last.
    """
    total_MN = weights_MN.double().cumsum(dim=-1)
    outside_MN = total_MN - weights_MN.double() >= top_p * whole_M1
    kept_MN = weights_MN.double().masked_fill(outside_MN, 0.0)
    least_M = weights_MN.masked_fill(outside_MN, torch.inf).amin(dim=-1)
    return kept_MN, outside_MN[:, -1] & (weights_MN[:, -1] < least_M)


def _reached(total_MN: Tensor, wanted_M1: Tensor) -> Tensor:
    """The first place whose running total is above what is wanted, and never one that adds nothing, shape (M, 1)."""
    place_M1 = torch.searchsorted(total_MN, wanted_M1.contiguous(), right=True)
    last_M1 = torch.searchsorted(total_MN, total_MN[:, -1:].contiguous())  # the first that holds the whole total
    return torch.minimum(place_M1, last_M1)
