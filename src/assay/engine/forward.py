"""Run any decoder trunk of transformers so that each shared token is computed once.

Knows trunks, rows of token ids and hidden states; knows no head, no loss and no label. Two doors: `last_hidden` (rows
in, one vector a row out) for our own trainer and scorers, and `shared_prefixes(model)`, under which any caller of the
model, TRL's trainers included, gets the rows it asked for while the trunk runs the packed trie.

Letters: N rows, T tokens of the longest row, L packed tokens, H hidden size.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPast

from assay.engine.sharing import ability, check_length, run_packed, trunk_of, window_refusal
from assay.engine.trie import Row, Trie, pack
from assay.errors import EmptyBatchError

_log = logging.getLogger(__name__)


def last_hidden(model: nn.Module, rows: Sequence[Row]) -> Tensor:
    """Hidden state of each row's last token, shape (N, H), rows in the order given; differentiable.

    model: a decoder of transformers, with any head, with or without PEFT. Every distinct token of `rows` runs once; a
    model that cannot share runs one right-padded batch. Raises EmptyBatchError without rows, InputError for an empty
    row or one longer than the model's positions.
    """
    check_length(model, max(map(len, rows), default=0))
    if refusal(model, rows) is not None:
        return plain_last_hidden(model, rows)
    trie = pack(rows)
    hidden_LH = packed_hidden(model, trie)
    return hidden_LH.index_select(0, torch.from_numpy(trie.last_N).to(hidden_LH.device))


def packed_hidden(model: nn.Module, trie: Trie) -> Tensor:
    """Hidden states of every packed token, shape (L, H), for callers that need more than the last token."""
    kernel = ability(model).kernel
    assert kernel is not None, "ask refusal() first"
    return run_packed(trunk_of(model), trie, kernel)


def refusal(model: nn.Module, rows: Sequence[Row]) -> str | None:
    """One plain sentence why `rows` cannot share their prefixes on `model`, or None if they can."""
    return ability(model).refusal or window_refusal(model, max(map(len, rows), default=0))


def plain_last_hidden(model: nn.Module, rows: Sequence[Row]) -> Tensor:
    """What `last_hidden` gives, without sharing: one right-padded batch through the trunk, shape (N, H)."""
    if not rows:
        raise EmptyBatchError("There are no rows to run. Give at least one row of token ids.")
    trunk = trunk_of(model)
    device = next(trunk.parameters()).device
    lengths_N = np.array([len(row) for row in rows])
    mask_NT = np.arange(lengths_N.max()) < lengths_N[:, None]
    ids_NT = np.zeros(mask_NT.shape, dtype=np.int64)
    ids_NT[mask_NT] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    output = trunk(
        input_ids=torch.from_numpy(ids_NT).to(device),
        attention_mask=torch.from_numpy(mask_NT.astype(np.int64)).to(device),
        use_cache=False,
    )
    hidden_NTH: Tensor = output.last_hidden_state
    return hidden_NTH[torch.arange(len(rows), device=device), torch.from_numpy(lengths_N - 1).to(device)]


@contextmanager
def shared_prefixes(model: nn.Module) -> Iterator[None]:
    """Within it, `model(input_ids, attention_mask)` computes each shared token once and returns what it always did.

    Meant for trainers that know nothing of it: `with shared_prefixes(model): trainer.train()`. Calls the engine cannot
    take over exactly (caches, embeddings for ids, hidden states of all layers, left padding without position_ids, a
    window shorter than a row) run as before. A model that cannot share is left as it is and the reason logged.
    """
    trunk, able = trunk_of(model), ability(model)
    if able.refusal is not None:
        _log.warning("Prefixes are not shared: %s.", able.refusal)
        yield
        return
    original = trunk.forward
    trunk.forward = _drop_in(trunk, original)
    try:
        yield
    finally:
        del trunk.forward  # uncovers the class's own


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
