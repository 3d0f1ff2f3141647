"""Answers by transformers' own loop, for models whose attention the engine cannot share: recurrent ones and others.

The answers to one prompt run in batches of one size, filled up with copies, so that an answer's bits do not depend on
how many are wanted; tokens are drawn as everywhere here. Knows rows of ids; knows no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from transformers import LogitsProcessor, StoppingCriteria

from assay.engine.draw_tokens import next_tokens, uniforms
from assay.engine.trunk_calls import run_drawn
from assay.engine.written import Decoding, Wanted, Written
from assay.models.device_and_mode import device_of, evaluating
from assay.models.quiet import quiet

BATCH = 8

Stopped = Callable[[Sequence[int]], bool]


class _Draw(LogitsProcessor):  # type: ignore[misc]
    """Leaves one token possible in each row: the one that its own numbers draw."""

    def __init__(self, seeds: Sequence[int], decoding: Decoding, prompt_tokens: int) -> None:
        self.uniforms = [uniforms(seed, decoding.most) for seed in seeds]
        self.decoding, self.prompt_tokens = decoding, prompt_tokens

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        step = input_ids.shape[1] - self.prompt_tokens
        uniform_N = torch.tensor([of_row[step] for of_row in self.uniforms], dtype=torch.float64, device=scores.device)
        drawn_N = next_tokens(
            scores.float(), uniform_N, temperature=self.decoding.temperature, top_p=self.decoding.top_p
        )
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn_N[:, None], 0.0)


class _Stop(StoppingCriteria):  # type: ignore[misc]
    """Ends the rows whose answers end."""

    def __init__(self, decoding: Decoding, stopped: Stopped | None, prompt_tokens: int) -> None:
        self.decoding, self.stopped, self.prompt_tokens = decoding, stopped, prompt_tokens

    def __call__(self, input_ids: Tensor, scores: object, **_: object) -> Tensor:
        rows = input_ids[:, self.prompt_tokens :].tolist()
        return torch.tensor([_answer(row, self.decoding, self.stopped) is not None for row in rows])


def plainly(
    model: nn.Module, wanted: Sequence[Wanted], decoding: Decoding, *, stopped: Stopped | None
) -> Iterator[tuple[int, Written]]:
    """Each wanted answer by its place, as `generate` gives them."""
    places: dict[tuple[int, ...], list[int]] = {}
    for place, one in enumerate(wanted):
        places.setdefault(one.row, []).append(place)
    for row, of_row in places.items():
        for start in range(0, len(of_row), BATCH):
            batch = of_row[start : start + BATCH]
            seeds = [wanted[place].seed for place in batch]
            seeds += seeds[:1] * (BATCH - len(batch))
            ids_NT = torch.tensor([row] * BATCH, device=device_of(model))
            with evaluating(model), quiet():
                out_NT = run_drawn(
                    model, ids_NT, most=decoding.most, ends=sorted(decoding.ends),
                    draw=_Draw(seeds, decoding, len(row)), stop=_Stop(decoding, stopped, len(row)),
                )  # fmt: skip
            for place, ids in zip(batch, out_NT[:, len(row) :].tolist(), strict=False):
                found = _answer(ids, decoding, stopped)
                assert found is not None, "the loop ends when all rows have ended"
                yield place, found


def _answer(ids: Sequence[int], decoding: Decoding, stopped: Stopped | None) -> Written | None:
    """The answer in a row's further tokens, what fills the row after its end left off; None if it has not ended."""
    for count in range(1, len(ids) + 1):
        if (how := decoding.ended(ids[:count], stopped)) is not None:
            return Written(ids=tuple(ids[:count]), finish=how)
    return None
