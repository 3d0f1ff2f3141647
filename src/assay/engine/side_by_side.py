"""Rows side by side in one pack, without a padding token, for models that read in both directions; attention by rows.

An encoder shares nothing between rows, but nothing forces rows into a rectangle either: all that it does to a token
beside attention depends on the token, its position and its segment. So rows stand one after the other in one row, the
shortest first, and attention is one call for all rows of a length, which in this order are a rectangle already. Knows
rows, queries, keys and values; knows no model.

Letters: N rows, L packed tokens, H heads, T tokens of a row, D head size.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from assay.engine.trie import Ints, Row

_UNKNOWN = ("softcap", "s_aux", "sliding_window", "position_bias")  # what an attention function may be asked beside


class SideBySide:
    """Rows one after the other, sorted by length, on a device; `calls` counts the attention calls that used them.

    type_ids: the segment of every token of every row, for bases that have segments. numbered_past: the padding id after
    which a model numbers positions (RoBERTa and its kin), or None where the first position is 0.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        device: torch.device,
        *,
        type_ids: Sequence[Row] | None = None,
        numbered_past: int | None = None,
    ) -> None:
        lengths_N = np.array([len(row) for row in rows], dtype=np.int64)
        order_N = np.argsort(lengths_N, kind="stable")
        self.device, self.calls = device, 0
        self.groups = tuple(
            (len(list(same)), int(length)) for length, same in itertools.groupby(lengths_N[order_N].tolist())
        )
        self._ids_L = _joined(rows, order_N)
        self._positions_L = np.concatenate([_positions(rows[n], numbered_past) for n in order_N])
        self._types_L = None if type_ids is None else _joined(type_ids, order_N)
        self._first_N = np.empty(len(rows), dtype=np.int64)
        self._first_N[order_N] = np.cumsum(lengths_N[order_N]) - lengths_N[order_N]

    def inputs(self) -> dict[str, Tensor]:
        """A trunk's inputs, each of shape (1, L)."""
        arrays = {"input_ids": self._ids_L, "position_ids": self._positions_L}
        if self._types_L is not None:
            arrays["token_type_ids"] = self._types_L
        return {name: torch.from_numpy(array).to(self.device)[None] for name, array in arrays.items()}

    def first_tokens(self) -> Tensor:
        """Where each row begins, in the order the rows were given, shape (N,)."""
        return torch.from_numpy(self._first_N).to(self.device)


def unknown(options: Mapping[str, object]) -> str | None:
    """What an attention call asks that rows side by side are not made for, or None."""
    return next((name for name in _UNKNOWN if options.get(name) is not None), None)


# Every pack is other calls: there is nothing to compile, and tracing them would never end.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def attention(query: Tensor, key: Tensor, value: Tensor, packed: SideBySide, options: Mapping[str, object]) -> Tensor:
    """Each row's tokens among themselves, in both directions: three times (1, H, L, D) -> (1, L, H, D)."""
    packed.calls += 1
    sizes = [rows * length for rows, length in packed.groups]
    scaling, dropout = cast("float | None", options.get("scaling")), cast("float", options.get("dropout") or 0.0)
    found = []
    split = [torch.split(part[0], sizes, dim=1) for part in (query, key, value)]
    for (rows, length), q, k, v in zip(packed.groups, *split, strict=True):
        # (H, N * T, D) seen as (N, H, T, D): rows of one length stand next to each other
        seen = [part.unflatten(1, (rows, length)).transpose(0, 1) for part in (q, k, v)]
        output_NHTD = scaled_dot_product_attention(seen[0], seen[1], seen[2], dropout_p=dropout, scale=scaling)
        found.append(output_NHTD.transpose(1, 2).flatten(0, 1))
    return torch.cat(found)[None]


def _joined(rows: Sequence[Row], order_N: Ints) -> Ints:
    return np.concatenate([np.asarray(rows[n], dtype=np.int64) for n in order_N])


def _positions(row: Row, numbered_past: int | None) -> Ints:
    """The positions of one row; by RoBERTa's rule a padding token inside it takes none and stands at its own id."""
    if numbered_past is None:
        return np.arange(len(row), dtype=np.int64)
    real_T = np.asarray(row) != numbered_past
    return cast("Ints", np.cumsum(real_T) * real_T + numbered_past)
