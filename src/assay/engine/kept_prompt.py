"""Run a prompt once for many passes of a training step: keep its keys and values, gather their gradients, go back once.

A prompt with more answers than one pass holds would be run again in every pass, forward and backward. Here 1) it is run
by itself, and each layer's keys and values are kept, cut off from how they were made; 2) every pass of answers attends
to them, and its backward pass adds to the gradients that gather at them; 3) the last pass attends to them uncut, and
its backward pass hands what has gathered on through the prompt, once. Nothing is asked of a loss or of who calls
`forward.hidden_at`: within `attended` it runs rows that begin with the prompt so.

Why it is exact. Tokens of the prompt see no answer, so a loss L = sum L_i(k, a_i) reads the prompt only by its keys and
values k, and dL/dk = sum dL_i/dk. A gradient is linear: one backward pass of the prompt with that sum is the sum of one
backward pass a pack. The prompt's last token is never part of what is kept: it is run with the answers, and whoever
reads its hidden state (the first token of an answer is foretold from it) finds it there.

What it costs in memory: keys and values with their gradients, and of activations those of one pass. The prompt's own
are made again in the last backward pass (`recomputed`), or are held where both fit into the budget of one pass.

Letters: K key-value heads, D head size, P chosen tokens, L packed tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from assay.engine.can_share import ability
from assay.engine.pass_rules import rope_switch
from assay.engine.segment_attention import ByLayer, NotShareableError
from assay.engine.trie import Ints, Row, pack
from assay.engine.trunk_calls import run_beginning, run_packed, run_row
from assay.models.self_probe import agrees, largest, probe_rows
from assay.models.wrappers import is_sharded, trunk_of

_TOLERANCE = 1e-4, 5e-2  # of the largest hidden state: in float32, and in 16 bit
_COMMON = 3  # tokens that the rows of the probe begin with


class RunsRows(Protocol):
    """Runs rows in another way than one pack, or gives None for rows that it is not for."""

    def hidden_at(self, model: nn.Module, rows: Sequence[Row], *, row_P: Ints, place_P: Ints) -> Tensor | None: ...


_in_charge: ContextVar[RunsRows | None] = ContextVar("assay_rows_run_by", default=None)


def in_charge() -> RunsRows | None:
    """Who runs rows at the moment in place of `forward.hidden_at`; None mostly."""
    return _in_charge.get()


@contextmanager
def run_by(who: RunsRows) -> Iterator[None]:
    """Within it `forward.hidden_at` asks `who` first."""
    token = _in_charge.set(who)
    try:
        yield
    finally:
        _in_charge.reset(token)


class KeptPrompt:
    """The tokens some rows begin with, run when the first of them is, and kept until the last pass has gone back.

    recomputed: the prompt's activations are made again for its backward pass; else they are held until then.
    """

    def __init__(self, ids: Row, *, recomputed: bool = True) -> None:
        self.ids = np.asarray(ids, dtype=np.int64)
        self.recomputed = recomputed
        self.closing = False  # whether the pass under way is the last one
        self._made: ByLayer = {}  # as the prompt's run left them
        self._cut: ByLayer = {}  # the same without their past: gradients gather here
        self._uncut: ByLayer = {}  # the same with their past, and with what has gathered

    @contextmanager
    def attended(self, *, closing: bool) -> Iterator[None]:
        """Within it rows that begin with the prompt attend to what is kept. closing: in the last pass, which goes back.

        The backward pass of the closing pass has to be the last one, and it may be made outside.
        """
        self.closing = closing
        with run_by(self):
            yield
        # Gradients that nobody hands on would be missing without a word.
        assert self._uncut or not closing, "the last pass ran no row that begins with the kept prompt"
        if closing:  # whatever its backward pass needs hangs on its losses; a step goes on with other prompts
            self._made = self._cut = self._uncut = {}

    def run(self, model: nn.Module) -> None:
        """Run the prompt, unless it was; the first rows that begin with it see to that by themselves."""
        if self._made:
            return
        trunk, layers = trunk_of(model), list[int]()

        def keys_and_values() -> tuple[Tensor, ...]:
            found = run_beginning(trunk, self.ids)
            layers[:] = sorted(found)
            return tuple(part for layer in layers for part in found[layer])

        with torch.enable_grad():  # the first to ask may be somebody who needs none
            made = checkpoint(keys_and_values, use_reentrant=False) if self.recomputed else keys_and_values()
        # Gradients of many passes are added up in float32, whatever the passes run in.
        cut = [one.detach().float().requires_grad_(one.requires_grad) for one in made]
        self._made = dict(zip(layers, zip(made[::2], made[1::2], strict=True), strict=True))
        self._cut = dict(zip(layers, zip(cut[::2], cut[1::2], strict=True), strict=True))

    def hidden_at(self, model: nn.Module, rows: Sequence[Row], *, row_P: Ints, place_P: Ints) -> Tensor | None:
        """Hidden states of chosen tokens, (P, H), as `forward.hidden_at`; None if a row or a token is not behind it."""
        start = len(self.ids)
        if place_P.min() < start or not all(self.begins(row) for row in rows):
            return None
        trie = pack([row[start:] for row in rows])
        hidden_LH = run_packed(trunk_of(model), trie, "segments", before=self._before(model))
        return hidden_LH.index_select(0, torch.from_numpy(trie.index(row_P, place_P - start)).to(hidden_LH.device))

    def begins(self, row: Row) -> bool:
        """Whether a row begins with the prompt and has a token of its own."""
        return len(row) > len(self.ids) and np.array_equal(row[: len(self.ids)], self.ids)

    def _before(self, model: nn.Module) -> ByLayer:
        self.run(model)
        # Who looks without gradients (rewards that a slope is taken at) sees the same numbers and closes nothing.
        if not (self.closing and torch.is_grad_enabled()):
            return self._cut
        if not self._uncut:  # made once: an objective that runs rows twice would hand on twice what has gathered
            self._uncut = {
                n: (_rejoined(k, self._cut[n][0]), _rejoined(v, self._cut[n][1])) for n, (k, v) in self._made.items()
            }
        return self._uncut


def keeps_prompts(model: nn.Module) -> bool:
    """Whether this model can be run from keys and values that are kept: it shares by segments, and a probe agreed.

    Not where the length of a pass decides rotary positions, nor where weights are held in parts (FSDP).
    """
    trunk = trunk_of(model)
    if ability(model).kernel != "segments" or rope_switch(model) is not None or is_sharded(trunk):
        return False
    if trunk not in _known:
        _known[trunk] = _agrees(trunk)
    return _known[trunk]


_known: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def _agrees(trunk: nn.Module) -> bool:
    rows = probe_rows(trunk)

    def plainly() -> Tensor:
        return torch.cat([run_row(trunk, row)[_COMMON:] for row in rows])

    def kept() -> Tensor | None:
        trie = pack([row[_COMMON:] for row in rows])
        try:
            made = run_beginning(trunk, np.array(rows[0][:_COMMON]))
            with torch.enable_grad():
                cut = {
                    n: (key.detach().requires_grad_(), value.detach().requires_grad_())
                    for n, (key, value) in made.items()
                }
                hidden_LH = run_packed(trunk, trie, "segments", before=cut)
                # The way back may be a kernel of its own, and is walked before it is trusted.
                torch.autograd.grad(hidden_LH.sum(), [part for both in cut.values() for part in both])
            hidden_LH = hidden_LH.detach()
        except (NotShareableError, KeyError, TypeError, RuntimeError, ValueError):
            return None  # whatever a model does not take, it cannot be run by
        return hidden_LH[torch.from_numpy(trie.path_R).to(hidden_LH.device)]

    return agrees(trunk, plainly, kept, scale=largest, tolerance=_TOLERANCE)


class _Context(Protocol):
    """Autograd's context, with what the gradients gathered at."""

    gathered_at: Tensor


class _Rejoin(torch.autograd.Function):
    """A kept tensor handed on as it is; back goes its gradient and what gathered at its cut twin."""

    @staticmethod
    def forward(ctx: _Context, made: Tensor, cut: tuple[Tensor]) -> Tensor:
        # In a tuple, into which autograd does not look: an edge to the twin would hold it as long as the losses.
        (ctx.gathered_at,) = cut
        return made.view_as(made)

    @staticmethod
    def backward(ctx: _Context, gradient: Tensor) -> tuple[Tensor, None]:
        gathered = ctx.gathered_at.grad
        del ctx.gathered_at
        if gathered is not None:  # there was more than this one pass
            gradient = (gradient.float() + gathered).to(gradient.dtype)
        return gradient, None


def _rejoined(made: Tensor, cut: Tensor) -> Tensor:
    # Of a frozen layer nothing goes back.
    return cast("Tensor", _Rejoin.apply(made, (cut,))) if made.requires_grad else made  # type: ignore[no-untyped-call]
