"""Share prefixes for callers that know nothing of it, TRL's trainers among them: `with shared_prefixes(model): ...`.

Within it the trunk's forward is ours. It 1) looks at the call: right-padded ids, their mask and positions, nothing
else; 2) takes the rows out of the caller's rectangle and packs them; 3) runs the pack through the forward that it
replaces; 4) spreads the hidden states over a rectangle of the caller's size. Any other call goes on as it came. Knows
the calls trainers make and what they expect back; knows no loss.

What the backward pass needs is kept by the pack, not by the rectangle: inside the trunk autograd saves activations of L
packed tokens in place of N x T, and spreading saves indices only, for an index_select's gradient is a sum by index. So
the caller's rectangle of hidden states may be freed as soon as nobody else saves it; TRL's output layer, which would
save all of it, is taken over as well and runs on labelled positions (`logprobs`). What is lost are hidden states at
padding: zeros here, where the model would give numbers that no mask lets anybody read.

Letters: N rows, T tokens of the caller's rectangle, L packed tokens, P labelled positions, H hidden size.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPast
from transformers.utils.generic import ModelOutput

from assay.engine.can_share import ability
from assay.engine.forward import hidden_at, refusal
from assay.engine.logprobs import token_figures
from assay.engine.output_layer import output_layer, reads_plainly
from assay.engine.pass_rules import window_refusal
from assay.engine.replaced_forward import replaced
from assay.engine.trie import Row, Trie, pack
from assay.engine.trunk_calls import run_packed
from assay.errors import ModelError
from assay.models.device_and_mode import device_of
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of, unwrap

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
    Calls the engine cannot take over exactly (any input besides right-padded ids, their mask and positions; caches,
    hidden states of all layers, a window shorter than a row) run as before. Hidden states at padding are zeros. A model
    that cannot share is left as it is and the reason logged. Afterwards the model is what it was; copies of it made
    within, and what is pickled, are plain from the start.
    """
    with ExitStack() as stack:
        for model in models:
            able = ability(model)
            if able.refusal is not None:
                _log.warning("Prefixes are not shared: %s.", able.refusal)
                continue
            trunk, outer = trunk_of(model), unwrap(model)
            stack.enter_context(replaced(trunk, _drop_in(trunk, trunk.forward)))
            if outer is not trunk and _plain_output_layer(outer):
                stack.enter_context(replaced(outer, _fused_head(outer, outer.forward)))
        yield


def _fused_head(outer: nn.Module, original: Callable[..., object]) -> Callable[..., object]:
    """Takes over TRL's `model(..., labels=labels, fused_lm_head=True)`: the head on labelled positions only."""
    taken = _is_plain_fused(original)

    @functools.wraps(original)
    def forward(*args: object, **kwargs: object) -> object:
        labels, items = kwargs.get("labels"), kwargs.get("num_items_in_batch")
        ours = taken and kwargs.get("fused_lm_head") and isinstance(labels, Tensor)
        others = {name: value for name, value in kwargs.items() if name not in _FUSED}
        rows = _right_padded_rows(trunk_of(outer), args, others) if ours else None
        if rows is None or refusal(outer, rows) is not None:
            return original(*args, **kwargs)
        return _labelled(outer, rows, cast("Tensor", labels), cast("Tensor | int | None", items))

    return forward


def _is_plain_fused(original: Callable[..., object]) -> bool:
    """Whether TRL's fused head, where it was put on the model, gives log-probabilities as the model itself would.

    Its options (a temperature, a cast, other figures) stand in its closure; where they cannot be read it is left alone.
    """
    function = getattr(original, "__func__", original)
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    if code is None or "fused_lm_head" not in code.co_varnames:
        return False
    options = {name: cell.cell_contents for name, cell in zip(code.co_freevars, cells, strict=True)}
    known = {"log_probs", "entropy", "mean_logits", "is_top1"}
    return (
        options.get("temperature") == 1.0
        and options.get("cast_lm_head_to_fp32", False) is False
        and known.issuperset(options.get("outputs", ("?",)))
    )


def _plain_output_layer(outer: nn.Module) -> bool:
    """Whether the output layer can be run in chunks: not if it is missing, has adapters of its own or does more."""
    try:
        output_layer(outer)
    except ModelError:
        return False
    return reads_plainly(outer)


def _labelled(
    outer: nn.Module, rows: Sequence[Row], label_NT: Tensor, items: Tensor | int | None = None
) -> LabelledOutput:
    """Figures of every label that is not -100, the output layer run on those positions alone.

    items: labels of the whole optimiser batch, by which the loss is then divided.
    """
    next_NT = label_NT[:, 1:]
    mask_NT = next_NT != -100
    row_P, place_P = mask_NT.nonzero().cpu().numpy().T
    hidden_PH = hidden_at(outer, rows, row_P=row_P, place_P=place_P)
    figures = token_figures(hidden_PH, next_NT[mask_NT], output_layer(outer))
    # masked_scatter keeps the output connected to the model even without a single label
    spread = [figure.new_zeros(mask_NT.shape).masked_scatter(mask_NT, figure) for figure in figures]
    loss = -spread[0].sum() / (mask_NT.sum().clamp(min=1) if items is None else items)
    return LabelledOutput(loss, *spread, label_mask=mask_NT)


def _drop_in(trunk: nn.Module, original: Callable[..., object]) -> Callable[..., object]:
    home = threading.get_ident()

    @functools.wraps(original)
    def forward(*args: object, **kwargs: object) -> object:
        ids_NT = args[0] if args else kwargs.get("input_ids")
        if threading.get_ident() != home and isinstance(ids_NT, Tensor) and ids_NT.device != device_of(trunk):
            raise ModelError(
                "shared_prefixes cannot follow torch.nn.DataParallel, which runs copies of the model in threads. Start "
                "one process a device (torchrun or accelerate launch), or show this one a single device "
                "(CUDA_VISIBLE_DEVICES=0)."
            )
        # A call with a trie is the engine's own, on its way to the forward that stood here before.
        rows = None if "trie" in kwargs else _right_padded_rows(trunk, args, kwargs)
        kernel = None if rows is None else ability(trunk).kernel  # another one, if attention was set anew since
        if rows is None or kernel is None or window_refusal(trunk, max(map(len, rows))) is not None:
            return original(*args, **kwargs)
        assert isinstance(ids_NT, Tensor)
        width = ids_NT.shape[1]
        trie = pack(rows)
        hidden_LH = run_packed(trunk, trie, kernel, call=original)
        return BaseModelOutputWithPast(last_hidden_state=_as_rows(hidden_LH, trie, width))

    return forward


def _as_rows(hidden_LH: Tensor, trie: Trie, width: int) -> Tensor:
    """Packed hidden states as the caller's rectangle (N, width, H); zeros where the caller had padding."""
    gather_NT = np.full((len(trie.offsets_N1) - 1, width), trie.tokens, dtype=np.int64)
    gather_NT[:, : trie.longest] = trie.gather_NT(filler=trie.tokens)
    # A row of zeros after the last token, which is what the filler points at.
    with_zero = torch.cat([hidden_LH, hidden_LH.new_zeros(1, hidden_LH.shape[1])])
    flat = with_zero.index_select(0, torch.from_numpy(gather_NT.ravel()).to(hidden_LH.device))
    return flat.view(*gather_NT.shape, -1)


_INPUTS = {"input_ids", "attention_mask", "position_ids", "num_items_in_batch"}
_OUTPUTS = ("output_hidden_states", "output_attentions", "output_router_logits")
_FUSED = {"fused_lm_head", "labels", "num_items_in_batch"}


def _right_padded_rows(trunk: nn.Module, args: Sequence[object], kwargs: Mapping[str, object]) -> list[Row] | None:
    """The caller's rows without their padding, or None if the call is not one the engine takes over exactly."""
    ids_NT = args[0] if args else kwargs.get("input_ids")
    config = config_of(trunk)
    if len(args) > 1 or not isinstance(ids_NT, Tensor) or ids_NT.ndim != 2 or ids_NT.shape[0] < 2:
        return None
    asked = {name: value for name, value in kwargs.items() if value is not None and name not in _INPUTS}
    outputs = [asked.pop(name, getattr(config, name, False)) for name in _OUTPUTS]
    if any(outputs) or asked.pop("use_cache", False) or not asked.pop("return_dict", True) or asked:
        return None
    mask, positions = kwargs.get("attention_mask"), kwargs.get("position_ids")
    if mask is not None and (not isinstance(mask, Tensor) or mask.shape != ids_NT.shape):
        return None
    shapes = {ids_NT.shape, (1, ids_NT.shape[1]), ids_NT.shape[1:]}
    if positions is not None and (not isinstance(positions, Tensor) or tuple(positions.shape) not in shapes):
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
