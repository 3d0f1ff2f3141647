"""Direct preference optimisation as an Objective: pairs whose chosen answer is to gain on the rejected one.

What is compared are log-probabilities of whole answers under the policy, less those under its reference, which were
run before the first step. Knows pairs, rows and losses; the loop, checkpoints and files are those of every method.

Letters: B pairs, N distinct rows, P completion tokens of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor, nn

from assay.artifacts.model_body import Origin
from assay.artifacts.train_body import SelfCheckBody
from assay.engine.compiled import plain_layers
from assay.engine.divergence import Lent
from assay.engine.forward import refusal
from assay.engine.logprobs import CompletionTokens, token_logprobs
from assay.engine.micro_batches import Layout, pass_tokens
from assay.models.device_and_mode import device_of
from assay.models.precision import Precision
from assay.models.resolve import resolve
from assay.records import Pair
from assay.render.encoder import Encoded, Renderer
from assay.rewards import saved_model
from assay.rewards.new_model import fit_padding
from assay.train.batches import cut, distinct_rows
from assay.train.config import TrainConfig
from assay.train.dpo import policy_figures
from assay.train.dpo.config import DpoConfig, PolicyModelConfig
from assay.train.dpo.dpo_losses import Sides, dpo_losses
from assay.train.dpo.fresh_answers import FreshPrompts, fresh_figures
from assay.train.dpo.new_policy import open_language_model
from assay.train.dpo.policy_checks import self_check
from assay.train.dpo.policy_figures import PolicyScore
from assay.train.dpo.reference import Cut, Reference
from assay.train.objective import Losses, Seen
from assay.train.pair_examples import PairExample


@dataclass(frozen=True, slots=True, kw_only=True)
class DpoObjective:
    """A policy, its pairs, and what its reference gives them; an Objective."""

    model: nn.Module
    renderer: Renderer
    origin: Origin
    base: PolicyModelConfig
    examples: Sequence[PairExample]
    held_out: Sequence[PairExample]
    held_out_pairs: Sequence[Pair]
    reference: Reference
    fresh: FreshPrompts
    dpo: DpoConfig
    config: TrainConfig

    def on(self, model: nn.Module) -> DpoObjective:
        return replace(self, model=model)

    def head(self) -> Mapping[str, nn.Parameter]:
        return {}

    def layout(self, batch: Sequence[PairExample]) -> Layout:
        rows = [row.ids for one in batch for row in one.rows]
        return "shared" if self.config.sharing == "on" and refusal(self.model, rows) is None else "padded"

    def forward(self, rows: Sequence[Encoded]) -> Tensor:
        return self._tokens(rows).logprob_P

    def _tokens(self, rows: Sequence[Encoded]) -> CompletionTokens:
        ids, prompts = [row.ids for row in rows], [row.prompt_tokens for row in rows]
        return token_logprobs(self.model, ids, prompts, sharing=self.config.sharing)

    def losses(
        self, batch: Sequence[PairExample], among: Sequence[PairExample], whole: Sequence[PairExample] = ()
    ) -> Losses:
        sides, figures = self._sides(batch)
        whole = whole or among
        tokens = sum(answer_tokens(one.chosen) for one in whole)
        sides_of_batch = Sides(**sides, mean_tokens=tokens / len(whole))
        loss_B = dpo_losses(sides_of_batch, self.dpo, whole=len(batch) == len(whole))
        return Losses(loss_B=loss_B, figures=figures)

    def _sides(self, batch: Sequence[PairExample]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """What the losses compare, and the figures of each pair: one forward pass, an answer in several pairs once."""
        rows, places = distinct_rows([one.chosen for one in batch] + [one.rejected for one in batch])
        found = self._tokens(rows)
        device = found.logprob_P.device
        place_2B = torch.tensor(places, device=device)
        row_P = torch.from_numpy(found.row_P).to(device)
        chosen_B, rejected_B = summed(found.logprob_P, row_P, len(rows))[place_2B].chunk(2)
        plain = [(row, row.prompt_tokens) for row in (*(o.chosen for o in batch), *(o.rejected for o in batch))]
        ref_chosen_B, ref_rejected_B = self._reference(plain, device).chunk(2)
        tokens_2B = torch.tensor([float(answer_tokens(row)) for row, _ in plain], device=device)
        figures = {
            "chosen": self.dpo.beta * (chosen_B - ref_chosen_B),
            "rejected": self.dpo.beta * (rejected_B - ref_rejected_B),
            "chosen_logprob": chosen_B,
            "rejected_logprob": rejected_B,
            "chosen_change": chosen_B - ref_chosen_B,
            "rejected_change": rejected_B - ref_rejected_B,
            "chosen_tokens": tokens_2B[: len(batch)],
            "rejected_tokens": tokens_2B[len(batch) :],
        }
        sides = {
            "chosen_B": chosen_B,
            "rejected_B": rejected_B,
            "ref_chosen_B": ref_chosen_B,
            "ref_rejected_B": ref_rejected_B,
            "chosen_tokens_B": tokens_2B[: len(batch)],
            "rejected_tokens_B": tokens_2B[len(batch) :],
            "chosen_plain_B": chosen_B,
        }
        if self.dpo.ld_alpha is not None:
            sides |= self._desensitised(batch, found.logprob_P, row_P, place_2B)
        return sides, figures

    def _desensitised(
        self, batch: Sequence[PairExample], logprob_P: Tensor, row_P: Tensor, place_2B: Tensor
    ) -> dict[str, Tensor]:
        """Sides in which tokens beyond the shorter answer's length weigh ld_alpha; Liu et al. 2024 (2409.06411).

        A row may stand in several pairs, each with its own shorter answer: so sums are made of running sums.
        """
        assert self.dpo.ld_alpha is not None
        device, alpha = logprob_P.device, self.dpo.ld_alpha
        starts_N = torch.searchsorted(row_P, torch.arange(int(row_P[-1]) + 1, device=device)).tolist()
        shared_B = [min(answer_tokens(one.chosen), answer_tokens(one.rejected)) for one in batch]
        rows, shared_2B = [*(o.chosen for o in batch), *(o.rejected for o in batch)], shared_B * 2
        place_Q, side_Q, weight_Q = [], [], []
        for side, (row, shared, place) in enumerate(zip(rows, shared_2B, place_2B.tolist(), strict=True)):
            tokens = np.arange(answer_tokens(row))
            place_Q.append(starts_N[place] + tokens)
            side_Q.append(np.full(len(tokens), side))
            weight_Q.append(np.where(tokens < shared, 1.0, alpha))
        weights = torch.from_numpy(np.concatenate(weight_Q)).to(device, torch.float32)
        logprob_Q = logprob_P[torch.from_numpy(np.concatenate(place_Q)).to(device)] * weights
        ours = summed(logprob_Q, torch.from_numpy(np.concatenate(side_Q)).to(device), len(rows)).chunk(2)
        theirs_2B = self._reference([(row, row.prompt_tokens) for row in rows], device)
        behind = [(row, row.prompt_tokens + shared) for row, shared in zip(rows, shared_2B, strict=True)]
        longer = [place for place, (row, start) in enumerate(behind) if start < len(row.ids)]
        if longer:
            theirs_2B[longer] -= (1 - alpha) * self._reference([behind[place] for place in longer], device)
        theirs = theirs_2B.chunk(2)
        return {"chosen_B": ours[0], "rejected_B": ours[1], "ref_chosen_B": theirs[0], "ref_rejected_B": theirs[1]}

    def _reference(self, cuts: Sequence[Cut], device: torch.device) -> Tensor:
        half = torch.is_autocast_enabled(device.type)
        precision: Precision = "bf16" if half else "float32"
        return torch.tensor(self.reference.of(cuts, precision=precision), device=device)

    def step_figures(self, seen: Sequence[Seen]) -> dict[str, float]:
        return policy_figures.step_figures(seen)

    def scores(self, share: Sequence[PairExample]) -> list[PolicyScore]:
        found: dict[int, PolicyScore] = {}
        layout = self.layout(share) if share else "padded"
        budget = pass_tokens(self.config.micro_tokens, device_of(self.model).type, layout)
        for places in cut(share, micro_tokens=budget, layout=layout) if share else []:
            some = [share[place] for place in places]
            _, figures = self._sides(some)
            names = list(figures)
            for place, one, values in zip(places, some, torch.stack(list(figures.values()), 1).tolist(), strict=True):
                found[place] = _score(one.name, dict(zip(names, values, strict=True)))
        return [found[place] for place in range(len(share))]

    def evaluate(self, scores: Sequence[PolicyScore]) -> dict[str, int | float | None]:
        figures = policy_figures.held_out_figures(scores, self.held_out_pairs)
        if not self.fresh.rows:
            return figures
        # Under auto only the training knows what was taken; compiled code would be made anew for every layer's cache.
        with plain_layers("off" if self.config.compile == "off" else "on"):
            return {**figures, **fresh_figures(self.model, self.reference_model(), self.fresh)}

    def reference_model(self) -> Lent:
        """The reference as a model: the policy with its adapters off, or the base opened once more."""
        if hasattr(self.model, "peft_config"):
            return lambda: without_adapters(self.model)
        other = open_language_model(resolve(self.base.base, self.base.revision), self.base)
        fit_padding(other, self.renderer)
        other.eval().to(device_of(self.model))
        return lambda: nullcontext(other)

    def save(self, folder: Path, *, provenance: Mapping[str, JsonValue]) -> None:
        whole = saved_model.whole(self.model)
        saved_model.write(whole, self.model, self.renderer, folder, origin=self.origin, trained_on=provenance)

    def self_check(self, folder: Path) -> dict[str, SelfCheckBody]:
        return self_check(folder, self.model, self.held_out or self.examples)


@contextmanager
def without_adapters(model: nn.Module) -> Iterator[nn.Module]:
    """The model as it is without what its adapters add."""
    with model.disable_adapter():  # type: ignore[operator]
        yield model


def answer_tokens(row: Encoded) -> int:
    """Tokens of a row that are counted: its answer's, end marker included."""
    return len(row.ids) - row.prompt_tokens


def summed(value_P: Tensor, place_P: Tensor, n: int) -> Tensor:
    """Sums of values by place, (n,)."""
    return value_P.new_zeros(n).index_add(0, place_P, value_P)


def _score(name: str, figures: Mapping[str, float]) -> PolicyScore:
    sides = {
        f"{side}_reference": figures[f"{side}_logprob"] - figures[f"{side}_change"] for side in policy_figures.SIDES
    }
    return PolicyScore(
        pair_id=name,
        chosen=figures["chosen"],
        rejected=figures["rejected"],
        chosen_logprob=figures["chosen_logprob"],
        rejected_logprob=figures["rejected_logprob"],
        chosen_tokens=int(figures["chosen_tokens"]),
        rejected_tokens=int(figures["rejected_tokens"]),
        **sides,
    )
