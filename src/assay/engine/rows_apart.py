"""Rows whose losses need each other, run in passes of their own: by the slopes of the loss at their hidden states.

All pairs of sixteen answers are a hundred and twenty; with pairs whole, an answer would be run in as many passes as its
pairs fall into. Here each row is run twice and no more: 1) without gradients, for the hidden states that the loss
reads; 2) the loss of all of them is made and gone back through, down to these hidden states, which are numbers, so that
their gradient is the slope of the whole loss; 3) each pass is run again with gradients, and goes back from its slopes.
That is the chain rule, cut at the hidden states: whatever a loss does with its rows, it never sees that they were cut.

Passes are run twice, so they must give the same: not for a model that drops out. Knows rows; knows no loss.

Letters: P chosen tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from assay.engine.compiled import plain_layers
from assay.engine.kept_prompt import KeptPrompt, run_by
from assay.engine.trie import Ints, Row, plan
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """Some rows, which of their tokens are read, where these stand among all asked for, and what all of them gave."""

    model: nn.Module
    rows: Sequence[Row]
    row_Q: Ints
    place_Q: Ints
    at_Q: Tensor
    read_PH: Tensor


class RowsApart:
    """Runs rows that begin with a kept prompt in passes of at most `token_budget` tokens beside it.

    Within `running` a loss is made of all rows and gone back through; `backward` then goes back through the model.
    """

    def __init__(self, kept: KeptPrompt, *, token_budget: int) -> None:
        self.kept, self._token_budget = kept, token_budget
        self._passes: list[_Pass] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        with run_by(self):
            yield

    def hidden_at(self, model: nn.Module, rows: Sequence[Row], *, row_P: Ints, place_P: Ints) -> Tensor | None:
        """Hidden states of chosen tokens, (P, H), without their past; None for rows that are not behind the prompt."""
        start = len(self.kept.ids)
        if place_P.min() < start or not all(self.kept.begins(row) for row in rows):
            return None
        self.kept.run(model)  # as it will be run again: not among what follows
        cuts = plan([[row[start:]] for row in rows], token_budget=self._token_budget)
        found: list[Tensor] = []
        asked: list[tuple[list[Row], Ints, Ints, Ints]] = []
        for members in map(sorted, cuts):
            at_Q = np.flatnonzero(np.isin(row_P, members))
            if len(at_Q):
                some = [rows[n] for n in members]
                asked.append((some, np.searchsorted(members, row_P[at_Q]), place_P[at_Q], at_Q))
                # Compiled code without gradients would be code of its own, and meet another shape first in every run.
                with torch.no_grad(), plain_layers("on"):
                    hidden_QH = self.kept.hidden_at(model, some, row_P=asked[-1][1], place_P=asked[-1][2])
                assert hidden_QH is not None
                found.append(hidden_QH)
        order_P = torch.from_numpy(np.argsort(np.concatenate([one[-1] for one in asked]))).to(found[0].device)
        read_PH = torch.cat(found).index_select(0, order_P)
        if not torch.is_grad_enabled():
            return read_PH
        read_PH.requires_grad_()
        self._passes += [
            _Pass(model, some, row_Q, place_Q, torch.from_numpy(at_Q).to(order_P.device), read_PH)
            for some, row_Q, place_Q, at_Q in asked
        ]
        return read_PH

    def backward(self) -> None:
        """Run every pass again, and go back from the slopes that the loss has left at its hidden states."""
        assert self._passes, "no row that begins with the kept prompt was run"
        for one, following in pairwise([*self._passes, None]):
            assert one is not None
            slope_PH = one.read_PH.grad
            assert slope_PH is not None, "the loss was not gone back through, or reads none of the hidden states"
            with self.kept.attended(closing=following is None):
                hidden_QH = self.kept.hidden_at(one.model, one.rows, row_P=one.row_Q, place_P=one.place_Q)
            assert hidden_QH is not None
            if hidden_QH.requires_grad:  # of a frozen trunk only the head learns
                torch.autograd.backward(hidden_QH, slope_PH.index_select(0, one.at_Q))
        self._passes = []


def drops_out(model: nn.Module) -> bool:
    """Whether two passes of the same rows differ in training: some layer leaves numbers out at random."""
    config = config_of(trunk_of(model))
    declared = (value for name, value in vars(config).items() if name.endswith(("dropout", "_pdrop", "dropout_prob")))
    layers = (module.p for module in model.modules() if isinstance(module, nn.Dropout))
    return any(isinstance(share, float) and share > 0 for share in (*declared, *layers))
