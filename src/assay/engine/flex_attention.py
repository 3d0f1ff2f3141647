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


def takes(query: Tensor, key: Tensor, value: Tensor, *, before: int = 0) -> bool:
    """Whether FlexAttention's kernels take these shapes: no other keys, one head size, and that not too small.

    before: how many of the keys stand before all rows, kept from an earlier pass.
    """
    size = query.shape[-1]
    return key.shape[2] == before + query.shape[2] and value.shape[-1] == size >= SMALLEST_HEAD


def block_mask(exits_L: Ints, device: torch.device, *, before: int = 0) -> BlockMask:
    """FlexAttention's block mask (1, 1, C, A + C) of the trie; tokens of the filling see themselves alone.

    before: tokens that stand before all rows and are seen by all; A is their number filled up to whole blocks.
    """
    tokens = len(exits_L)
    blocks, ahead = -(-tokens // BLOCK), -(-before // BLOCK)
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

    def sees_before_too(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        own = key - ahead * BLOCK
        return (key < before) | ((own >= 0) & sees(batch, head, query, own.clamp(min=0)))

    if before:  # whole blocks in front, of which the last may be filled up
        front_BA = np.ones((blocks, ahead), dtype=bool)
        touched_BB = np.concatenate([front_BA, touched_BB], axis=1)
        full_BB = np.concatenate([front_BA & (np.arange(ahead) < before // BLOCK), full_BB], axis=1)
    mixed, full = _listed(touched_BB & ~full_BB, device), _listed(full_BB, device)
    if before:
        return BlockMask.from_kv_blocks(*mixed, *full, BLOCK_SIZE=BLOCK, mask_mod=sees_before_too)
    return BlockMask.from_kv_blocks(*mixed, *full, BLOCK_SIZE=BLOCK, mask_mod=sees)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, scale: float) -> Tensor:
    """query (1, H, L, D), key and value (1, K, L, D) -> (1, L, H, D); mask: what `block_mask` gave for the trie.

    More keys than queries: the first ones stand before all rows, and the mask was made for as many.
    """
    before = key.shape[2] - query.shape[2]
    tokens, group = query.shape[2], query.shape[1] // key.shape[1]
    if group & (group - 1):  # the kernels share keys among a power of two of heads only
        key, value = repeat_kv(key, group), repeat_kv(value, group)
    if before:
        fronts = [pad(part[:, :, :before], (0, 0, 0, -before % BLOCK)) for part in (key, value)]
        key, value = (
            torch.cat([front, part[:, :, before:]], 2) for front, part in zip(fronts, (key, value), strict=True)
        )
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
