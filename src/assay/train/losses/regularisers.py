"""What is added to the loss of a reward beside its pairs: pure, differentiable, in float32. Knows no model and no pair.

1. GRM's text loss, 2. consistency under other wordings, 3. ODIN's decorrelation of length and its orthogonal heads.
Letters: B pairs, N answers, H hidden size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

SMALLEST = 1e-12  # of a spread: rewards that are all the same have no correlation, and no slope towards one


def text_losses(logprob_B: Tensor, *, beta: float) -> Tensor:
    """-log sigmoid(beta x log p(chosen)) of each pair, shape (B,): the trunk shall go on to speak as the base does.

    logprob_B: summed log-probability of the chosen answer's tokens, in nats, <= 0, shape (B,). Reference-free.
    Source: Yang et al. 2024 (GRM, 2406.10216), sftreg.

    >>> [round(x, 4) for x in text_losses(torch.tensor([0.0, -10.0]), beta=0.1).tolist()]
    [0.6931, 1.3133]
    """
    return -logsigmoid(beta * logprob_B.float())


def consistency_penalties(reward_B: Tensor, again_B: Tensor) -> Tensor:
    """(reward - reward of the same answer worded another way) squared, shape (B,). Source: reWordBench's regulariser.

    >>> consistency_penalties(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.5])).tolist()
    [0.0, 2.25]
    """
    return (reward_B.float() - again_B.float()).square()


def correlation(x_N: Tensor, y_N: Tensor) -> Tensor:
    """Pearson correlation, in [-1, 1], shape (); 0 where either does not vary."""
    x_N, y_N = x_N.float() - x_N.float().mean(), y_N.float() - y_N.float().mean()
    scale = (x_N.square().sum() * y_N.square().sum()).clamp(min=SMALLEST).sqrt()
    return (x_N * y_N).sum() / scale


def eased(figure: Tensor, reward_N: Tensor, *, spread: float) -> Tensor:
    """The figure, its slopes times the rewards' standard deviation over `spread` where that is below 1; shape ().

    A correlation does not change with the rewards' scale, so its slopes are as large as that is small: those of a fresh
    head, which differ by hundredths, drown what the pairs say. spread: in rewards; 0 leaves all slopes as they are.
    """
    if not spread:
        return figure
    share = (reward_N.detach().float().std(unbiased=False) / spread).clamp(max=1.0)
    return figure.detach() + share * (figure - figure.detach())


def length_penalty(quality_N: Tensor, length_N: Tensor, tokens_N: Tensor, *, spread: float = 0.0) -> Tensor:
    """|corr(quality, tokens)| + 1 - corr(length, tokens), in [0, 3], shape (): one head without length, one with it.

    quality_N, length_N: rewards of the two heads for all answers of a batch, shape (N,). tokens_N: their lengths.
    spread: of each head's rewards, below which its slopes are eased; 0: as published. A figure of the whole batch:
    means of it over parts are another loss. Source: Chen et al. 2024 (ODIN, 2402.07319).
    """
    quality = eased(correlation(quality_N, tokens_N).abs(), quality_N, spread=spread)
    return quality + 1 - eased(correlation(length_N, tokens_N), length_N, spread=spread)


class Slopes(NamedTuple):
    """A figure of a whole batch, and what it changes by with each answer's reward of either head, shape (N,)."""

    value: Tensor
    quality_N: Tensor
    length_N: Tensor


def length_slopes(quality_N: Tensor, length_N: Tensor, tokens_N: Tensor, *, spread: float = 0.0) -> Slopes:
    """`length_penalty` with its gradient, from rewards without one.

    With it a batch that needs several passes has the gradient of the whole: each answer's reward times its slope, the
    slope a number, adds what the penalty over all of them would add (the chain rule, cut at the rewards).
    """
    with torch.enable_grad():
        quality_N, length_N = (one.detach().float().requires_grad_() for one in (quality_N, length_N))
        value = length_penalty(quality_N, length_N, tokens_N, spread=spread)
        slopes = torch.autograd.grad(value, (quality_N, length_N))
    return Slopes(value.detach(), *slopes)


def orthogonality(quality_H: Tensor, length_H: Tensor) -> Tensor:
    """|cosine| between the weights of the two heads, in [0, 1], shape ().

    ODIN's |W_Q W_L^T| for weights of norm 1: of others, small weights would make it small, and no right angle.
    """
    quality_H, length_H = quality_H.float(), length_H.float()
    scale = (quality_H.square().sum() * length_H.square().sum()).clamp(min=SMALLEST).sqrt()
    return (quality_H * length_H).sum().abs() / scale
