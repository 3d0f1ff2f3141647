"""Callers that know nothing of the engine, TRL's trainers among them: `with shared_prefixes(model): trainer.train()`.

Knows the calls trainers make and what they expect back; the work is done by `forward` and `logprobs`.

Letters: N rows, T tokens of the caller's rectangle, L packed tokens, P labelled positions, H hidden size.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPast
from transformers.utils.generic import ModelOutput

from assay.engine.forward import hidden_at, refusal
from assay.engine.logprobs import output_head, token_figures
from assay.engine.sharing import ability, run_packed, trunk_of, unwrap, window_refusal
from assay.engine.trie import Row, Trie, pack

_log = logging.getLogger(__name__)


@dataclass
class LabelledOutput(ModelOutput):  # type: ignore[misc]
    """What TRL's fused output layer returns: per-token figures (N, T - 1), zero where the label is -100."""

    loss: Tensor | None = None
    log_probs: Tensor | None = None
    entropy: Tensor | None = None
    mean_logits: Tensor | None = None
    is_top1: Tensor | None = None
    label_mask: Tensor | None = None
    aux_loss: Tensor | None = None


@contextmanager
def shared_prefixes(*models: nn.Module) -> Iterator[None]:
    """Within it, `model(input_ids, attention_mask)` computes each shared token once and returns what it always did.

    Meant for trainers that know nothing of it: `with shared_prefixes(model): trainer.train()`; for TRL's DPOTrainer,
    `shared_prefixes(trainer.model, trainer.ref_model)`, and its output layer then runs on completion positions only.
    Calls the engine cannot take over exactly (caches, embeddings for ids, hidden states of all layers, left padding
    without position_ids, a window shorter than a row) run as before. A model that cannot share is left as it is and the
    reason logged.
    """
    with ExitStack() as replaced:
        for model in models:
            able = ability(model)
            if able.refusal is not None:
                _log.warning("Prefixes are not shared: %s.", able.refusal)
                continue
            trunk, outer = trunk_of(model), unwrap(model)
            replaced.enter_context(_replaced(trunk, _drop_in(trunk, trunk.forward)))
            if outer is not trunk and outer.get_output_embeddings() is not None:  # type: ignore[operator]
                replaced.enter_context(_replaced(outer, _fused_head(outer, outer.forward)))
        yield


@contextmanager
def _replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """The module's forward replaced, and afterwards as it was found, be it the class's own or another patch."""
    before = module.__dict__.get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


def _fused_head(outer: nn.Module, original: Callable[..., Any]) -> Callable[..., Any]:
    """Takes over TRL's `model(..., labels=labels, fused_lm_head=True)`: the head on labelled positions only."""

    @functools.wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        ours = kwargs.get("fused_lm_head") and kwargs.get("labels") is not None and kwargs.get("shift_labels") is None
        rows = _right_padded_rows(trunk_of(outer), args, kwargs) if ours else None
        if rows is None or refusal(outer, rows) is not None:
            return original(*args, **kwargs)
        return _labelled(outer, rows, kwargs["labels"])

    return forward


def _labelled(outer: nn.Module, rows: Sequence[Row], label_NT: Tensor) -> LabelledOutput:
    """Figures of every label that is not -100, the output layer run on those positions alone."""
    next_NT = label_NT[:, 1:]
    mask_NT = next_NT != -100
    row_P, place_P = mask_NT.nonzero().cpu().numpy().T
    hidden_PH = hidden_at(outer, rows, row_P=row_P, place_P=place_P)
    figures = token_figures(hidden_PH, next_NT[mask_NT], output_head(outer))
    # masked_scatter keeps the output connected to the model even without a single label
    spread = [figure.new_zeros(mask_NT.shape).masked_scatter(mask_NT, figure) for figure in figures]
    loss = -spread[0].sum() / mask_NT.sum().clamp(min=1)
    return LabelledOutput(loss, *spread, label_mask=mask_NT)


def _drop_in(trunk: nn.Module, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        rows = None if "trie" in kwargs else _right_padded_rows(trunk, args, kwargs)
        if rows is None or window_refusal(trunk, max(map(len, rows))) is not None:
            return original(*args, **kwargs)
        kernel = ability(trunk).kernel
        assert kernel is not None
        width = (args[0] if args else kwargs["input_ids"]).shape[1]
        trie = pack(rows)
        hidden_LH = run_packed(trunk, trie, kernel, call=original)
        return BaseModelOutputWithPast(last_hidden_state=_as_rows(hidden_LH, trie, width))

    return forward


def _as_rows(hidden_LH: Tensor, trie: Trie, width: int) -> Tensor:
    """Packed hidden states as the caller's rectangle (N, width, H); zeros where the caller had padding."""
    gather_NT = np.full((len(trie.offsets_N1) - 1, width), trie.tokens, dtype=np.int64)
    gather_NT[:, : trie.longest] = trie.gather_NT(filler=trie.tokens)
    with_zero = torch.cat([hidden_LH, hidden_LH.new_zeros(1, hidden_LH.shape[1])])
    flat = with_zero.index_select(0, torch.from_numpy(gather_NT.ravel()).to(hidden_LH.device))
    return flat.view(*gather_NT.shape, -1)


_OTHER_INPUTS = ("past_key_values", "inputs_embeds", "token_type_ids", "encoder_hidden_states", "cache_position")
_OTHER_OUTPUTS = ("output_hidden_states", "output_attentions", "output_router_logits")


def _right_padded_rows(trunk: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Row] | None:
    """The caller's rows without their padding, or None if the call is not one the engine takes over exactly."""
    ids_NT = args[0] if args else kwargs.get("input_ids")
    config: Any = trunk.config
    if len(args) > 1 or not isinstance(ids_NT, Tensor) or ids_NT.ndim != 2 or ids_NT.shape[0] < 2:
        return None
    if any(kwargs.get(name) is not None for name in _OTHER_INPUTS):
        return None
    if any(kwargs.get(name, getattr(config, name, False)) for name in _OTHER_OUTPUTS):
        return None
    mask, positions = kwargs.get("attention_mask"), kwargs.get("position_ids")
    if mask is not None and (not isinstance(mask, Tensor) or mask.shape != ids_NT.shape):
        return None
    ids = ids_NT.detach().cpu().numpy()
    mask_NT = np.ones(ids.shape, dtype=bool) if mask is None else mask.detach().cpu().numpy().astype(bool)
    lengths_N = mask_NT.sum(axis=1)
    place_NT = mask_NT.cumsum(axis=1) - 1  # what a token's position must be for rows to be comparable
    given_NT = np.arange(ids.shape[1]) if positions is None else positions.detach().cpu().numpy()
    if not lengths_N.all() or (np.broadcast_to(given_NT, ids.shape) != place_NT)[mask_NT].any():
        return None
    if (mask_NT[:, 1:] & ~mask_NT[:, :-1]).any():  # padding before or between tokens: the caller's rectangle differs
        return None
    return [row[:length] for row, length in zip(ids, lengths_N, strict=True)]
