"""From pairs and LossConfig to what the losses take: targets, stated margins, one loss a pair.

Knows labels, votes and LossConfig; knows no token and no model. Letters: B pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.errors import InputError
from assay.records import Pair
from assay.train.config import LossConfig
from assay.train.losses import preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one pair asks of its margin: probabilities of win, tie and loss of chosen, and the strength stated."""

    win: float
    tie: float
    loss: float
    margin: float = 0.0


def target_of(pair: Pair, config: LossConfig) -> Target:
    """The target of one pair. Raises InputError for votes that are all abstentions, or a tie under threshold 0.

    >>> from assay.records import Vote
    >>> votes = (Vote(choice="chosen"), Vote(choice="chosen"), Vote(choice="chosen"), Vote(choice="rejected"))
    >>> pair = Pair(id="a", prompt="Hi", chosen="Hello.", rejected="No.", votes=votes)
    >>> target_of(pair, LossConfig(targets="votes")).win, target_of(pair, LossConfig()).win
    (0.75, 1.0)
    """
    win, tie, loss = _shares(pair) if config.targets == "votes" and pair.votes else _label(pair)
    if tie and config.kind == "rao_kupper" and config.tie_threshold == 0:
        raise InputError(
            f"{pair.where}: pair {pair.id} holds a tie, but loss.tie_threshold is 0, which says ties cannot be. "
            "Set it above 0, or take loss.kind=bradley_terry."
        )
    stated = pair.margin if config.margin == "subtract" and pair.margin is not None and pair.label == "chosen" else 0.0
    return Target(win=win, tie=tie, loss=loss, margin=stated)


def pair_losses(chosen_B: Tensor, rejected_B: Tensor, targets: Sequence[Target], config: LossConfig) -> Tensor:
    """The loss of each pair, in nats, float32, shape (B,), differentiable in both rewards.

    chosen_B, rejected_B: rewards, shape (B,). The mean over an optimiser's batch is what training minimises.
    """
    device = chosen_B.device
    margin_B = chosen_B.float() - rejected_B.float()
    if config.margin == "subtract":
        margin_B = preference.subtract_margin(margin_B, torch.tensor([t.margin for t in targets], device=device))
    target_B3 = torch.tensor([(t.win, t.tie, t.loss) for t in targets], dtype=torch.float32, device=device)
    if config.kind == "rao_kupper":
        target_B3 = preference.unflipped(preference.smooth(target_B3, config.label_smoothing), config.flip_share)
        loss_B = preference.rao_kupper_losses(margin_B, threshold=config.tie_threshold, target_B3=target_B3)
    else:
        # Bradley-Terry knows no ties: half a win, half a loss
        target_B = preference.smooth(target_B3[:, 0] + target_B3[:, 1] / 2, config.label_smoothing)
        target_B = preference.unflipped(target_B, config.flip_share)
        loss_B = preference.bradley_terry_losses(margin_B, target_B=target_B)
    if config.centring:
        loss_B = loss_B + config.centring * preference.centring_penalties(chosen_B, rejected_B)
    return loss_B


def _label(pair: Pair) -> tuple[float, float, float]:
    return (0.0, 1.0, 0.0) if pair.label == "tie" else (1.0, 0.0, 0.0)


def _shares(pair: Pair) -> tuple[float, float, float]:
    count = Counter(vote.choice for vote in pair.votes)
    judged = count["chosen"] + count["tie"] + count["rejected"]
    if not judged:
        raise InputError(
            f"{pair.where}: all {len(pair.votes)} votes of pair {pair.id} are abstentions, so loss.targets=votes "
            "has no share to take. Remove the pair or take loss.targets=hard."
        )
    return count["chosen"] / judged, count["tie"] / judged, count["rejected"] / judged
