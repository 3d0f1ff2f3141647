"""Losses on reward margins: pure, differentiable, in float32 whatever the rewards come in. Knows no model and no pair.

>>> margin_B = torch.tensor([2.0, -1.0])  # the first pair is won by 2, the second lost by 1
>>> round(bradley_terry_loss(margin_B).item(), 4)
0.7201

Letters: B pairs. Every loss has a form per pair, shape (B,), so that an optimiser's batch can be split and weighted,
and is written with log-sigmoids so that value and gradient are finite for any finite margin.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from assay.errors import ConfigError, EmptyBatchError


def bradley_terry_loss(margin_B: Tensor, *, target_B: Tensor | None = None) -> Tensor:
    """Mean cross-entropy, in nats, of the observed preference under the Bradley-Terry model; shape ().

    margin_B: reward(chosen) - reward(rejected), shape (B,), any real.
    target_B: probability that chosen wins, shape (B,), in [0, 1]; 1 for a plain label, a vote share for soft labels.
    Raises EmptyBatchError if B is 0. Source: Bradley & Terry 1952; Christiano et al. 2017, section 2.2.3.

    >>> even = bradley_terry_loss(torch.zeros(1))  # nothing known: log 2
    >>> round(even.item(), 4)
    0.6931
    >>> sure = bradley_terry_loss(torch.tensor([4.0]), target_B=torch.tensor([0.75]))  # too sure of a 3 to 1 vote
    >>> told = bradley_terry_loss(torch.tensor([math.log(3.0)]), target_B=torch.tensor([0.75]))  # the vote's own odds
    >>> round(sure.item(), 4), round(told.item(), 4)
    (1.0181, 0.5623)
    """
    return _mean(bradley_terry_losses(margin_B, target_B=target_B))


def bradley_terry_losses(margin_B: Tensor, *, target_B: Tensor | None = None) -> Tensor:
    """Cross-entropy of each pair under the Bradley-Terry model, in nats; shape (B,). Arguments as its mean's."""
    margin_B = margin_B.float()
    if target_B is None:
        return -logsigmoid(margin_B)
    target_B = target_B.to(margin_B)
    return -(target_B * logsigmoid(margin_B) + (1 - target_B) * logsigmoid(-margin_B))


def rao_kupper_loss(margin_B: Tensor, *, threshold: float, target_B3: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of win, tie and loss under the Rao-Kupper model; shape ().

    P(chosen wins) = sigmoid(margin - threshold), P(rejected wins) = sigmoid(-margin - threshold), P(tie) is the rest.
    margin_B: reward(chosen) - reward(rejected), shape (B,), any real.
    threshold: log theta, >= 0; at 0 ties are impossible and the model is Bradley-Terry.
    target_B3: probabilities of (chosen wins, tie, rejected wins), shape (B, 3), rows summing to 1.
    Raises EmptyBatchError if B is 0, ConfigError if threshold < 0, or is 0 while a target holds ties.
    Source: Rao & Kupper 1967, with rewards as log worths.

    >>> tie = torch.tensor([[0.0, 1.0, 0.0]])
    >>> [round(rao_kupper_loss(torch.tensor([m]), threshold=1.0, target_B3=tie).item(), 4) for m in (0.0, 3.0)]
    [0.7719, 2.2905]
    """
    return _mean(rao_kupper_losses(margin_B, threshold=threshold, target_B3=target_B3))


def rao_kupper_losses(margin_B: Tensor, *, threshold: float, target_B3: Tensor) -> Tensor:
    """Cross-entropy of each pair under the Rao-Kupper model, in nats; shape (B,). Arguments as its mean's."""
    log_p_B3 = rao_kupper_log_probabilities(margin_B, threshold=threshold)
    target_B3 = target_B3.to(log_p_B3)
    if threshold == 0:
        if bool((target_B3[:, 1] > 0).any()):
            raise ConfigError("A tie was observed, but tie_threshold is 0, which says ties cannot be. Set it above 0.")
        # The tie's column is -inf here, and 0 x -inf is not a number.
        log_p_B3, target_B3 = log_p_B3[:, ::2], target_B3[:, ::2]
    return -(target_B3 * log_p_B3).sum(dim=1)


def rao_kupper_log_probabilities(margin_B: Tensor, *, threshold: float) -> Tensor:
    """Log-probabilities of (chosen wins, tie, rejected wins), shape (B, 3); the tie's is -inf at threshold 0.

    With a = sigmoid(m - t) and b = sigmoid(-m - t), 1 - a - b = (exp(2 t) - 1) a b, so the tie needs no subtraction
    of nearly equal numbers. Raises ConfigError if threshold < 0.

    >>> win_tie_lose = rao_kupper_log_probabilities(torch.tensor([0.0]), threshold=1.0)[0].exp()
    >>> [round(p, 3) for p in win_tie_lose.tolist()]
    [0.269, 0.462, 0.269]
    """
    if not threshold >= 0 or math.isinf(threshold):
        raise ConfigError(f"tie_threshold is {threshold}; it must be a finite number >= 0.")
    margin_B = margin_B.float()
    win_B, lose_B = logsigmoid(margin_B - threshold), logsigmoid(-margin_B - threshold)
    # log(exp(2t) - 1) without overflow for a large t
    odds = -math.inf if threshold == 0 else 2 * threshold + math.log(-math.expm1(-2 * threshold))
    return torch.stack([win_B, odds + win_B + lose_B, lose_B], dim=1)


def subtract_margin(margin_B: Tensor, stated_B: Tensor) -> Tensor:
    """The margin less the strength the data states, shape (B,): strong preferences must be won by more.

    stated_B: shape (B,), >= 0; 0 where the data states none. Source: Touvron et al. 2023 (Llama 2), section 3.2.2.

    >>> subtract_margin(torch.tensor([2.0, 2.0]), torch.tensor([0.0, 3.0])).tolist()
    [2.0, -1.0]
    """
    return margin_B.float() - stated_B.to(margin_B.device, torch.float32)


def smooth(target_BK: Tensor, smoothing: float) -> Tensor:
    """Targets when each label is flipped with probability `smoothing`; same shape, (B,) or (B, 3).

    The last dimension of a (B, 3) target is (win, tie, loss): wins and losses swap, ties stay.
    Raises ConfigError unless 0 <= smoothing < 0.5. Source: Mitchell 2023, a note on DPO with noisy preferences.

    >>> smooth(torch.tensor([[1.0, 0.0, 0.0]]), 0.25).tolist()
    [[0.75, 0.0, 0.25]]
    """
    if not 0 <= smoothing < 0.5:
        raise ConfigError(f"label_smoothing is {smoothing}; at 0.5 or above labels say nothing or the opposite.")
    # A flipped label is the other answer's win; a tie read the wrong way round is still a tie.
    flipped = 1 - target_BK if target_BK.ndim == 1 else target_BK.flip(1)
    return (1 - smoothing) * target_BK + smoothing * flipped


def unflipped(target_BK: Tensor, flip_share: float) -> Tensor:
    """Targets whose loss is, in the mean over flips, that of the labels before they were flipped; (B,) or (B, 3).

    flip_share: e, the share of labels that were turned round, at random and whatever the texts are; known, not fitted.
    The loss ((1 - e) loss(m) - e loss(-m)) / (1 - 2e) of rDPO (Chowdhury et al. 2024, 2403.00409) is, a loss being
    linear in its target, the loss at target (t - e) / (1 - 2e), which undoes `smooth`. For a plain label that is above
    1: each loss has more variance, and falls without end as a margin grows, so centring or few epochs have to hold it.
    Raises ConfigError unless 0 <= flip_share < 0.5.

    >>> [round(one, 4) for one in unflipped(torch.tensor([1.0, 0.5, 0.0]), 0.2).tolist()]
    [1.3333, 0.5, -0.3333]
    """
    if not 0 <= flip_share < 0.5:
        raise ConfigError(f"flip_share is {flip_share}; at 0.5 or above labels say nothing or the opposite.")
    flipped = 1 - target_BK if target_BK.ndim == 1 else target_BK.flip(1)
    return ((1 - flip_share) * target_BK - flip_share * flipped) / (1 - 2 * flip_share)


def centring_penalties(chosen_B: Tensor, rejected_B: Tensor) -> Tensor:
    """(chosen + rejected) squared of each pair, shape (B,): a margin leaves the level of rewards free, this fixes it.

    Source: Eisenstein et al. 2023, section 2; TRL's center_rewards_coefficient multiplies the mean of it.

    >>> centring_penalties(torch.tensor([5.0, 1.0]), torch.tensor([3.0, -1.0])).tolist()
    [64.0, 0.0]
    """
    return (chosen_B.float() + rejected_B.float()).square()


def _mean(losses_B: Tensor) -> Tensor:
    if losses_B.numel() == 0:
        raise EmptyBatchError("A loss was asked for over no pairs. Give at least one.")
    return losses_B.mean()
