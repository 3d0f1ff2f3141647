"""Which pairs make both of their answers less likely when they are trained on: the CHES score of each.

The centred hidden embedding similarity of Razin et al. 2024 (2410.08847), definition 2, with h the hidden state from
which the policy reads an answer's token (the output layer's input), summed over the answer's tokens:

    CHES(x, chosen, rejected) = < sum h(chosen), sum h(rejected) >  -  || sum h(chosen) ||^2

The higher, the likelier the gradient on the rejected answer takes the chosen one down with it. Sums grow with length:
to compare pairs, the length-normalised form divides the first term by |chosen| |rejected| and the second by |chosen|^2.
By the model before training, as in the paper. Knows rows and a model; knows no loss.

Letters: B pairs, P positions, H hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from assay.engine.forward import hidden_at
from assay.engine.logprobs import completion_places
from assay.engine.micro_batches import pass_tokens
from assay.models.device_and_mode import device_of, evaluating
from assay.train.batches import cut
from assay.train.pair_examples import PairExample


@dataclass(frozen=True, slots=True, kw_only=True)
class Ches:
    """One pair's score, and its length-normalised form, by which pairs are compared."""

    pair_id: str
    ches: float
    normalised: float


def ches_scores(model: nn.Module, examples: Sequence[PairExample], *, micro_tokens: int | None = None) -> list[Ches]:
    """The score of each pair, in order; one forward pass a micro-batch, prompts shared, no gradient."""
    found: dict[int, Ches] = {}
    budget = pass_tokens(micro_tokens, device_of(model).type, "shared")
    with evaluating(model):
        for places in cut(examples, micro_tokens=budget, layout="shared") if examples else []:
            some = [examples[place] for place in places]
            found |= dict(zip(places, _scored(model, some), strict=True))
    return [found[place] for place in range(len(examples))]


def _scored(model: nn.Module, examples: Sequence[PairExample]) -> list[Ches]:
    rows = [*(one.chosen for one in examples), *(one.rejected for one in examples)]
    row_P, place_P = completion_places([row.ids for row in rows], [row.prompt_tokens for row in rows])
    hidden_PH = hidden_at(model, [row.ids for row in rows], row_P=row_P, place_P=place_P - 1).float()
    sums_2BH = hidden_PH.new_zeros(len(rows), hidden_PH.shape[1])
    sums_2BH.index_add_(0, torch.from_numpy(row_P).to(hidden_PH.device), hidden_PH)
    count_2B = torch.from_numpy(np.bincount(row_P)).to(hidden_PH)
    chosen_BH, rejected_BH = sums_2BH.chunk(2)
    plain_B = similarity(chosen_BH, rejected_BH)
    mean_B = similarity(*(sums_2BH / count_2B[:, None]).chunk(2))
    return [
        Ches(pair_id=one.name, ches=plain, normalised=mean)
        for one, plain, mean in zip(examples, plain_B.tolist(), mean_B.tolist(), strict=True)
    ]


def similarity(chosen_BH: Tensor, rejected_BH: Tensor) -> Tensor:
    """<chosen, rejected> - ||chosen||^2, (B,); above 0 where rejected lies further along chosen than chosen itself.

    >>> similarity(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]])).tolist()  # 5 - 5
    [0.0]
    """
    return (chosen_BH * (rejected_BH - chosen_BH)).sum(1)


def without_highest(scores: Sequence[Ches], share: float) -> set[str]:
    """Ids of the pairs that are left when the `share` with the highest normalised scores is taken out, rounded down."""
    ranked = sorted(scores, key=lambda one: (-one.normalised, one.pair_id))
    return {one.pair_id for one in ranked[int(share * len(ranked)) :]}
