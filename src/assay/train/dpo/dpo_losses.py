"""TRL's losses on pairs of log-probabilities, a pair at a time: pure and differentiable. Knows no model and no pair.

In TRL they stand inside one method of DPOTrainer, between its forward pass and its logging, and are means over a
micro-batch. Here each is a function from the figures of B pairs to B losses, so that a batch may be cut and weighed; a
test trains with `trl.DPOTrainer` beside each of them and holds losses, gradients and weights against it.

Letters: B pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from assay.errors import ConfigError
from assay.train.dpo.config import WHOLE_BATCH, DpoConfig, LossType


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Summed log-probabilities of B pairs in nats, (B,) each; the reference's carry no gradient.

    chosen_B, rejected_B: as the loss compares them. chosen_plain_B: with every token counted once, which only the SFT
    term reads. mean_tokens: tokens of a chosen answer, on average over the whole batch of the step.
    """

    chosen_B: Tensor
    rejected_B: Tensor
    ref_chosen_B: Tensor
    ref_rejected_B: Tensor
    chosen_tokens_B: Tensor
    rejected_tokens_B: Tensor
    chosen_plain_B: Tensor
    mean_tokens: float

    @property
    def chosen_ratio_B(self) -> Tensor:
        """log (policy / reference) of the chosen answers."""
        return self.chosen_B - self.ref_chosen_B

    @property
    def rejected_ratio_B(self) -> Tensor:
        return self.rejected_B - self.ref_rejected_B


Loss = Callable[[Sides, DpoConfig], Tensor]


def dpo_losses(sides: Sides, config: DpoConfig, *, whole: bool = True) -> Tensor:
    """The loss of each pair, float32, (B,): the terms of `config`, each by its weight, added.

    whole: the pairs are a whole batch. Raises ConfigError where a loss sorts the pairs of a batch and is given a part.
    """
    sorts = [name for name, _ in config.terms if name in WHOLE_BATCH]
    if sorts and not whole:
        raise ConfigError(
            f"dpo.loss_type={sorts[0]} compares all pairs of a batch, and this batch does not fit into one forward "
            "pass of one process. Raise train.micro_tokens until it does, or lower train.batch_pairs; and start one "
            "process."
        )
    parts = [weight * LOSSES[name](sides, config) for name, weight in config.terms]
    return torch.stack(parts).sum(0)


def scores(sides: Sides, config: DpoConfig) -> tuple[Tensor, Tensor]:
    """f'(policy / reference) of the chosen and of the rejected answers, (B,) each; the log-ratios for the reverse KL.

    Source: Wang et al. 2023 (2309.16240), table 2.
    """
    coefficient = config.f_alpha_divergence_coef - 1.0
    kind = config.f_divergence_type
    if kind == "alpha_divergence" and abs(coefficient) < 1e-6:
        kind = "reverse_kl"  # the limit of f' is the logarithm

    def of(ratio_B: Tensor) -> Tensor:
        if kind == "forward_kl":
            return 1 - torch.exp(-ratio_B)
        if kind == "js_divergence":
            return math.log(2) + logsigmoid(ratio_B)
        if kind == "alpha_divergence":
            return (torch.exp(torch.clamp(coefficient * ratio_B, max=80.0)) - 1.0) / coefficient
        return ratio_B

    return of(sides.chosen_ratio_B), of(sides.rejected_ratio_B)


def delta(sides: Sides, config: DpoConfig) -> Tensor:
    chosen_B, rejected_B = scores(sides, config)
    return config.beta * (chosen_B - rejected_B)


def mean_delta(sides: Sides, config: DpoConfig) -> Tensor:
    """The difference of scores a token, beta not counted."""
    chosen_B, rejected_B = scores(sides, config)
    return chosen_B / sides.chosen_tokens_B - rejected_B / sides.rejected_tokens_B


def smoothed(delta_B: Tensor, smoothing: float) -> Tensor:
    return -logsigmoid(delta_B) * (1 - smoothing) - logsigmoid(-delta_B) * smoothing


def exo_pair(sides: Sides, config: DpoConfig) -> Tensor:
    """Ji et al. 2024 (2402.00856), equation 16 for two answers."""
    delta_B, wrong = delta(sides, config), config.label_smoothing
    right_B, left_B = torch.sigmoid(delta_B), torch.sigmoid(-delta_B)
    return right_B * (logsigmoid(delta_B) - math.log1p(-wrong)) + left_B * (logsigmoid(-delta_B) - math.log(wrong))


def nca_pair(sides: Sides, config: DpoConfig) -> Tensor:
    """Chen et al. 2024 (2402.05369)."""
    chosen_B, rejected_B = config.beta * sides.chosen_ratio_B, config.beta * sides.rejected_ratio_B
    return -logsigmoid(chosen_B) - 0.5 * logsigmoid(-chosen_B) - 0.5 * logsigmoid(-rejected_B)


def robust(sides: Sides, config: DpoConfig) -> Tensor:
    """Chowdhury et al. 2024 (2403.00409)."""
    delta_B, wrong = delta(sides, config), config.label_smoothing
    return (-(1 - wrong) * logsigmoid(delta_B) + wrong * logsigmoid(-delta_B)) / (1 - 2 * wrong)


def sppo_hard(sides: Sides, config: DpoConfig) -> Tensor:
    """Wu et al. 2024 (2405.00675), equation 4.7 with P = 1 for the winner."""
    half = 0.5 / config.beta
    return (sides.chosen_ratio_B - half) ** 2 + (sides.rejected_ratio_B + half) ** 2


def aot(sides: Sides, config: DpoConfig) -> Tensor:
    """Melnyk et al. 2024 (2406.05882): margins of the policy against those of the reference, both sorted."""
    policy_B = torch.sort(sides.chosen_B - sides.rejected_B).values
    reference_B = torch.sort(sides.ref_chosen_B - sides.ref_rejected_B).values
    return smoothed(config.beta * (policy_B - reference_B), config.label_smoothing)


def aot_unpaired(sides: Sides, config: DpoConfig) -> Tensor:
    chosen_B, rejected_B = torch.sort(sides.chosen_ratio_B).values, torch.sort(sides.rejected_ratio_B).values
    return smoothed(config.beta * (chosen_B - rejected_B), config.label_smoothing)


def apo_zero(sides: Sides, config: DpoConfig) -> Tensor:
    """D'Oosterlinck et al. 2024 (2408.06266), equation 7."""
    return 1 - torch.sigmoid(config.beta * sides.chosen_ratio_B) + torch.sigmoid(config.beta * sides.rejected_ratio_B)


def apo_down(sides: Sides, config: DpoConfig) -> Tensor:
    """The same, equation 8."""
    chosen_B = torch.sigmoid(config.beta * sides.chosen_ratio_B)
    return chosen_B + 1 - torch.sigmoid(config.beta * (sides.chosen_ratio_B - sides.rejected_ratio_B))


def discopop(sides: Sides, config: DpoConfig) -> Tensor:
    """Lu et al. 2024 (2406.08414), equation 5."""
    delta_B = delta(sides, config)
    mix_B = torch.sigmoid(delta_B / config.discopop_tau)
    return -logsigmoid(delta_B) * (1 - mix_B) + torch.exp(-delta_B) * mix_B


def ipo(sides: Sides, config: DpoConfig) -> Tensor:
    """Azar et al. 2023 (2310.12036), equation 17, a token: the authors' own word, by TRL."""
    return (mean_delta(sides, config) - 1 / (2 * config.beta)) ** 2


def sft(sides: Sides, _config: DpoConfig) -> Tensor:
    """What a chosen answer loses; its mean over a batch is the mean over the tokens of the batch's chosen answers."""
    return -sides.chosen_plain_B / sides.mean_tokens


LOSSES: Mapping[LossType, Loss] = {
    "sigmoid": lambda sides, config: -logsigmoid(delta(sides, config)),
    "hinge": lambda sides, config: torch.relu(1 - delta(sides, config)),
    "ipo": ipo,
    "exo_pair": exo_pair,
    "nca_pair": nca_pair,
    "robust": robust,
    "bco_pair": lambda sides, config: (
        -logsigmoid(config.beta * sides.chosen_ratio_B) - logsigmoid(-config.beta * sides.rejected_ratio_B)
    ),
    "sppo_hard": sppo_hard,
    "aot": aot,
    "aot_unpaired": aot_unpaired,
    "apo_zero": apo_zero,
    "apo_down": apo_down,
    "discopop": discopop,
    "sft": sft,
    "sigmoid_norm": lambda sides, config: -logsigmoid(config.beta * mean_delta(sides, config)),
}
