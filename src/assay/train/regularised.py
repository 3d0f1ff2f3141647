"""Losses of pairs with what a reward is regularised by: one forward pass, the preference loss, and the terms beside it.

ODIN's correlations are a figure of the whole optimiser's batch. Where that needs several passes, the whole is run once
without gradients, the figure's slope at every reward is taken, and each pass adds reward x slope: its gradient is that
of the figure over the batch, at the price of one more forward. Of several processes each takes its own part of the
batch for it. Knows pairs as rows, and their losses; knows no loop. Letters: B pairs, N distinct rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.engine.micro_batches import pass_tokens
from assay.models.head import last_layer
from assay.models.local_model import LocalModel
from assay.render.encoder import Encoded
from assay.rewards.language_head import LanguageHead
from assay.rewards.length_head import add_length_head, length_head
from assay.rewards.one_pass import Read, one_pass
from assay.rewards.reward_model import RewardModel, Sharing
from assay.train.batches import cut, distinct_rows
from assay.train.config import LossConfig, RegulariseConfig, TrainConfig
from assay.train.losses import regularisers
from assay.train.losses.regularisers import Slopes
from assay.train.losses.targets import pair_losses
from assay.train.objective import Losses
from assay.train.pair_examples import PairExample

Placed = Callable[..., Tensor]  # rows, and what is known of all distinct ones (their rewards if not given) -> of these


@dataclass(slots=True, kw_only=True)
class Regulariser:
    """The terms beside the preference loss. language: the base's output layer, where the text loss is asked for."""

    reward_model: RewardModel
    config: RegulariseConfig
    sharing: Sharing
    micro_tokens: int | None
    language: LanguageHead | None = None
    _batch: tuple[Sequence[PairExample], Slopes] | None = None  # of the optimiser's batch under way

    def losses(self, batch: Sequence[PairExample], among: Sequence[PairExample], loss: LossConfig) -> Losses:
        """The loss of every pair of a micro-batch. among: this process's part of the optimiser's batch."""
        read, placed = self._read(batch)
        chosen_B, rejected_B = placed([one.chosen for one in batch]), placed([one.rejected for one in batch])
        figures = {"chosen": chosen_B, "rejected": rejected_B}
        head = length_head(self.reward_model.model)
        total = chosen_B, rejected_B
        more_B = torch.zeros_like(chosen_B)
        if head is not None:
            length_N = head(read.hidden_NH)
            long_chosen_B = placed([one.chosen for one in batch], length_N)
            long_rejected_B = placed([one.rejected for one in batch], length_N)
            total = chosen_B + long_chosen_B, rejected_B + long_rejected_B
            figures |= {"chosen_length_reward": long_chosen_B, "rejected_length_reward": long_rejected_B}
            figures |= dict(zip(("chosen_tokens", "rejected_tokens"), self._tokens(batch).chunk(2), strict=True))
            more_B = self._odin(
                batch, among or batch, torch.cat([chosen_B, rejected_B]), torch.cat([long_chosen_B, long_rejected_B])
            )
        preference_B = pair_losses(*total, [one.target for one in batch], loss)
        figures["preference_loss"] = preference_B
        loss_B = preference_B + more_B
        if self.config.text:
            text_B = self._text(batch, read.logprob_S)
            loss_B = (1 - self.config.text) * loss_B + self.config.text * text_B
            figures["text_loss"] = text_B
        if self.config.consistency:
            moved_B = self._moved(batch, figures, placed)
            loss_B = loss_B + self.config.consistency * moved_B
            figures["inconsistency"] = moved_B
        return Losses(loss_B=loss_B, figures=figures)

    def _read(self, batch: Sequence[PairExample]) -> tuple[Read, Placed]:
        """One pass over all rows of the pairs, each distinct row once; and how a side's figures are found in it."""
        rows, _ = distinct_rows([row for one in batch for row in one.rows])
        place = {row: number for number, row in enumerate(rows)}
        spoken = list(dict.fromkeys(place[one.chosen] for one in batch if one.spoken)) if self.language else []
        read = one_pass(self.reward_model, rows, sharing=self.sharing, spoken=spoken, language=self.language)
        reward_N = read.reward_N.float()

        def placed(some: Sequence[Encoded], value_N: Tensor | None = None) -> Tensor:
            value_N = reward_N if value_N is None else value_N
            return value_N[torch.tensor([place[row] for row in some], dtype=torch.long, device=value_N.device)]

        return read, placed

    def _text(self, batch: Sequence[PairExample], logprob_S: Tensor | None) -> Tensor:
        """The text loss of every pair, (B,); 0 where nobody chose the answer. logprob_S: of spoken rows, each once."""
        nothing_B = torch.zeros(len(batch), device=self.reward_model.device)
        if logprob_S is None:
            return nothing_B
        order = {row: number for number, row in enumerate(dict.fromkeys(one.chosen for one in batch if one.spoken))}
        which = torch.tensor([order[one.chosen] for one in batch if one.spoken], device=logprob_S.device)
        losses = regularisers.text_losses(logprob_S[which], beta=self.config.text_beta)
        return nothing_B.masked_scatter(torch.tensor([one.spoken for one in batch], device=losses.device), losses)

    def _moved(self, batch: Sequence[PairExample], figures: dict[str, Tensor], placed: Placed) -> Tensor:
        """Mean over a pair's two answers of the squared change of reward, (B,); 0 for one no rule changes."""
        total_B = torch.zeros_like(figures["chosen"])
        for side in ("chosen", "rejected"):
            again = [getattr(one.reworded, side) or getattr(one, side) for one in batch]
            total_B = total_B + regularisers.consistency_penalties(figures[side], placed(again))
        return total_B / 2

    def _odin(
        self, batch: Sequence[PairExample], among: Sequence[PairExample], quality_2B: Tensor, length_2B: Tensor
    ) -> Tensor:
        """What both heads pay, (B,), so that its mean over the optimiser's batch is the whole batch's penalty."""
        head = length_head(self.reward_model.model)
        assert head is not None
        upright = regularisers.orthogonality(last_layer(self.reward_model.model).weight[0], head.weight)
        if len(batch) == len(among):
            apart = regularisers.length_penalty(
                quality_2B, length_2B, self._tokens(batch), spread=self.config.odin_spread
            )
            total = self.config.odin_length * apart + self.config.odin_orthogonality * upright
            return total.expand(len(batch))
        slopes = self._slopes(among)
        weight = {id(one): one.weight for one in among}
        whole = sum(weight.values())
        # The loop takes each pair's loss times its share of the batch; a slope is of the sum, so the share comes off.
        share_B = torch.tensor([weight[id(one)] / whole for one in batch], device=quality_2B.device)
        number = {id(one): place for place, one in enumerate(among)}
        place_2B = torch.tensor(
            [number[id(one)] + side * len(among) for side in (0, 1) for one in batch], device=quality_2B.device
        )
        moving_2B = quality_2B * slopes.quality_N[place_2B] + length_2B * slopes.length_N[place_2B]
        moving_B = moving_2B.view(2, -1).sum(0) / share_B
        apart_B = slopes.value + moving_B - moving_B.detach()
        return self.config.odin_length * apart_B + self.config.odin_orthogonality * upright

    def _slopes(self, among: Sequence[PairExample]) -> Slopes:
        """Of the optimiser's batch, found once for all its micro-batches: weights do not change in between."""
        if self._batch is None or self._batch[0] is not among:
            self._batch = among, self._whole_batch(among)
        return self._batch[1]

    @torch.no_grad()
    def _whole_batch(self, among: Sequence[PairExample]) -> Slopes:
        head = length_head(self.reward_model.model)
        assert head is not None
        layout = self.reward_model.layout([row for one in among for row in one.rows], sharing=self.sharing)
        budget = pass_tokens(self.micro_tokens, self.reward_model.device.type, layout)
        quality_N, length_N = torch.zeros((2, 2 * len(among)), device=self.reward_model.device)
        for places in cut(among, micro_tokens=budget, layout=layout):
            some = [among[place] for place in places]
            rows, at = distinct_rows([one.chosen for one in some] + [one.rejected for one in some])
            read = one_pass(self.reward_model, rows, sharing=self.sharing)
            where = [place + side * len(among) for side in (0, 1) for place in places]
            quality_N[where] = read.reward_N.float()[at]
            length_N[where] = head(read.hidden_NH)[at]
        return regularisers.length_slopes(quality_N, length_N, self._tokens(among), spread=self.config.odin_spread)

    def _tokens(self, batch: Sequence[PairExample]) -> Tensor:
        """Tokens of the answers, chosen ones first, (2B,)."""
        rows = [*(one.chosen for one in batch), *(one.rejected for one in batch)]
        counts = [float(len(row.ids) - row.prompt_tokens) for row in rows]
        return torch.tensor(counts, device=self.reward_model.device)


def regulariser_of(
    reward_model: RewardModel, base: LocalModel, config: RegulariseConfig, train: TrainConfig, *, seed: int
) -> Regulariser | None:
    """What stands beside the loss of a new reward model, its second head drawn from `seed`; None where nothing does.

    Raises what opening a language model raises. What does not go together is refused before (regularise_checks).
    """
    if not (config.text or config.consistency or config.odin == "on"):
        return None
    language = None
    if config.text:
        language = LanguageHead.on(reward_model.model, base)
    if config.odin == "on":
        add_length_head(reward_model.model, seed=seed)
    return Regulariser(
        reward_model=reward_model,
        config=config,
        sharing=train.sharing,
        micro_tokens=train.micro_tokens,
        language=language,
    )
