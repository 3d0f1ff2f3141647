"""Tree attention by FlexAttention, for CUDA: a block mask straight from the trie, shapes in whole blocks.

In depth-first order key j is seen by queries j .. exits[j] - 1, so which blocks of the mask are empty, full or mixed
follows from the smallest and the largest exit of a block of keys: no L x L mask is made to find out. Whole blocks keep
the shapes few that are compiled for. Knows queries, keys, values and where the branches are; knows no model.

Letters: H heads, K key-value heads, L packed tokens, D head size, B blocks, C = B * BLOCK tokens with the filling.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask
from torch.nn.functional import pad
from transformers.integrations.flex_attention import compile_friendly_flex_attention, repeat_kv

from assay.engine.trie import Ints

BLOCK = 128
SMALLEST_HEAD = 16  # FlexAttention's compiled kernels take no smaller one


def takes(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Whether FlexAttention's kernels take these shapes: no cached header, one head size, and that not too small."""
    size = query.shape[-1]
    return key.shape[2] == query.shape[2] and value.shape[-1] == size >= SMALLEST_HEAD


def block_mask(exits_L: Ints, device: torch.device) -> BlockMask:
    """FlexAttention's block mask (1, 1, C, C) of the trie; tokens of the filling see themselves alone."""
    tokens = len(exits_L)
    blocks = -(-tokens // BLOCK)
    exits_C = np.concatenate([exits_L, np.arange(tokens, blocks * BLOCK) + 1])
    exits_BT = exits_C.reshape(blocks, BLOCK)
    start_B = np.arange(blocks) * BLOCK
    # A block of queries that does not stand before the keys has a query that sees one of them iff it starts before the
    # largest exit among them; all its queries see all of them iff it stands after them and ends by the smallest exit.
    # What is touched but not full is mixed, and only there `sees` is asked token by token.
    below_BB = start_B[:, None] >= start_B  # query block (first axis) against key block
    touched_BB = below_BB & (start_B[:, None] < exits_BT.max(axis=1))
    full_BB = (start_B[:, None] > start_B) & (start_B[:, None] + BLOCK <= exits_BT.min(axis=1))
    exits = torch.from_numpy(exits_C).to(device)

    def sees(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < exits[key])

    mixed, full = _listed(touched_BB & ~full_BB, device), _listed(full_BB, device)
    return BlockMask.from_kv_blocks(*mixed, *full, BLOCK_SIZE=BLOCK, mask_mod=sees)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, scale: float) -> Tensor:
    """query (1, H, L, D), key and value (1, K, L, D) -> (1, L, H, D); mask: what `block_mask` gave for the trie."""
    tokens, group = query.shape[2], query.shape[1] // key.shape[1]
    if group & (group - 1):  # the kernels share keys among a power of two of heads only
        key, value = repeat_kv(key, group), repeat_kv(value, group)
    query, key, value = (pad(part, (0, 0, 0, -tokens % BLOCK)) for part in (query, key, value))
    output = compile_friendly_flex_attention(
        query, key, value, training=True, block_mask=mask, scale=scale, enable_gqa=query.shape[1] != key.shape[1]
    )
    return cast("Tensor", output)[:, :, :tokens].transpose(1, 2)


def _listed(chosen_BB: NDArray[np.bool_], device: torch.device) -> tuple[Tensor, Tensor]:
    """Chosen key blocks of each query block as FlexAttention wants them: how many, and their numbers, chosen first."""
    counts_B = chosen_BB.sum(axis=1).astype(np.int32)
    order_BB = np.argsort(~chosen_BB, axis=1, kind="stable").astype(np.int32)
    return torch.from_numpy(counts_B).to(device)[None, None], torch.from_numpy(order_BB).to(device)[None, None]
