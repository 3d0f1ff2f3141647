"""What sharing is compared with: one padded batch, and a pack in which nothing is shared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from assay.engine.forward import plain_hidden_at
from assay.engine.trie import Ints, Row, Trie


def plain_last_hidden(model: nn.Module, rows: Sequence[Row]) -> Tensor:
    """What `last_hidden` gives, without sharing: one right-padded batch through the trunk, shape (N, H)."""
    lengths_N = np.array([len(row) for row in rows], dtype=np.int64)
    return plain_hidden_at(model, rows, row_P=np.arange(len(rows)), place_P=lengths_N - 1)


def side_by_side(rows: Sequence[Row]) -> Trie:
    """A pack with nothing shared, every row a tree of its own: padding-free training without sharing."""
    arrays = [np.asarray(row, dtype=np.int64) for row in rows]
    lengths_N = np.array([len(array) for array in arrays])
    offsets_N1 = np.concatenate(([0], np.cumsum(lengths_N)))
    positions_L = np.concatenate([np.arange(length) for length in lengths_N])
    path_R = np.arange(offsets_N1[-1])
    return Trie(np.concatenate(arrays), positions_L, np.repeat(offsets_N1[1:], lengths_N), path_R, offsets_N1)


def last_places(trie: Trie) -> Ints:
    """Packed index of each row's last token."""
    return trie.path_R[trie.offsets_N1[1:] - 1]
