"""The one place where a trunk is run on a packed trie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from assay.engine import segment_attention
from assay.engine.trie import Trie

Kernel = Literal["cascade", "dense"]


def run_packed(
    trunk: nn.Module, trie: Trie, kernel: Kernel, *, call: Callable[..., Any] | None = None, header: Any = None
) -> Tensor:
    """Hidden states of all packed tokens, shape (L, H); the one place where a trunk meets a trie.

    call: what to call in place of the trunk itself, from inside a forward that replaces it. header: a transformers
    cache with the keys and values of tokens that stand before all rows; it is written to, so give a copy.
    """
    call = call or trunk
    before = 0 if header is None else int(header.get_seq_length())
    device = next(trunk.parameters()).device
    packed = segment_attention.Packed(trie, device)
    inputs: dict[str, Any] = {"input_ids": packed.ids(), "position_ids": packed.positions(header=before)}
    if header is not None:
        inputs["past_key_values"] = header
    if kernel == "dense":
        dtype = next(trunk.parameters()).dtype
        seen = packed.dense_mask(header=before)
        mask = torch.zeros((), dtype=dtype, device=device).where(seen, torch.finfo(dtype).min)
        output = call(**inputs, attention_mask=mask, use_cache=False)
    else:
        config: Any = trunk.config
        segment_attention.teach(config._attn_implementation)
        with segment_attention.running(packed):
            output = call(**inputs, use_cache=False, trie=packed)
        if not packed.calls:
            raise segment_attention.NotShareableError(
                "the model's attention does not go through transformers' attention interface"
            )
    hidden_LH: Tensor = output.last_hidden_state[0]
    return hidden_LH
