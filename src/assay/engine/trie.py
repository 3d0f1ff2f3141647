"""Rows of token ids to packed tries, each distinct token once, in depth-first order; and which rows make one pack.

Knows token ids and positions; knows no model, no label and no torch.

Letters: N rows, L packed tokens, S segments, T tokens of the longest row.

A packed trie needs no L x L mask. In depth-first order the tokens below token j are contiguous, so token i sees token j
exactly when `j <= i < exits_L[j]`. Rows with nothing in common become separate trees in the same pack (their tokens see
nothing of each other), so one pack is a whole micro-batch without a single padding token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import ConfigError, EmptyBatchError, InputError

Ints = NDArray[np.int64]
Row = Sequence[int] | Ints


class Segment(NamedTuple):
    """An unbranching run of packed tokens [start, end); [end, exit) are all tokens below it; depth is its start's."""

    start: int
    end: int
    exit: int
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class Trie:
    """Rows packed so that every shared prefix stands once.

    ids_L: token ids in depth-first order. positions_L: position of each token in its rows (depth in the trie).
    exits_L: one past the last packed token below each token. path_R: packed index of every token of every row, rows
    one after another in the order given; row n is path_R[offsets_N1[n]:offsets_N1[n + 1]].
    """

    ids_L: Ints
    positions_L: Ints
    exits_L: Ints
    path_R: Ints
    offsets_N1: Ints

    @property
    def tokens(self) -> int:
        """Distinct tokens: what a forward pass runs."""
        return len(self.ids_L)

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return int(np.diff(self.offsets_N1).max())

    def row(self, n: int) -> Ints:
        """Packed indices of the tokens of row n, first to last."""
        return self.path_R[self.offsets_N1[n] : self.offsets_N1[n + 1]]

    def index(self, row_P: Ints, place_P: Ints) -> Ints:
        """Packed index of token place_P[p] of row row_P[p], for each p."""
        index_P: Ints = self.path_R[self.offsets_N1[row_P] + place_P]
        return index_P

    def gather_NT(self, *, filler: int) -> Ints:
        """Packed index of every token of every row as a rectangle (N, T), `filler` after a row's end."""
        lengths_N = np.diff(self.offsets_N1)
        table_NT = np.full((len(lengths_N), self.longest), filler, dtype=np.int64)
        table_NT[np.arange(self.longest) < lengths_N[:, None]] = self.path_R
        return table_NT

    def mask_LL(self) -> NDArray[np.bool_]:
        """True where token i (first axis) sees token j (second axis): j is i or one of its ancestors."""
        place_L = np.arange(self.tokens)
        return (place_L <= place_L[:, None]) & (place_L[:, None] < self.exits_L)

    def segments(self) -> tuple[Segment, ...]:
        """The unbranching runs, in order: their number is what attention over the pack costs in calls."""
        # A run goes on where the next token is one deeper (a child) and has the same exit (nothing else hangs on its
        # parent).
        child = np.diff(self.positions_L) == 1
        only_child = np.diff(self.exits_L) == 0
        starts = np.concatenate(([0], np.flatnonzero(~(child & only_child)) + 1))
        ends = np.append(starts[1:], self.tokens)
        return tuple(
            Segment(int(start), int(end), int(self.exits_L[start]), int(self.positions_L[start]))
            for start, end in zip(starts, ends, strict=True)
        )


def pack(rows: Sequence[Row]) -> Trie:
    """The trie of `rows`: identical rows, prefixes of one another and rows with nothing in common are all welcome.

    Raises EmptyBatchError without rows and InputError for a row without tokens.
    """
    arrays = _arrays(rows)
    order = _lexicographic(arrays)
    lengths_N = np.array([len(array) for array in arrays])
    offsets_N1 = np.concatenate(([0], np.cumsum(lengths_N)))
    path_R = np.empty(offsets_N1[-1], dtype=np.int64)
    longest = int(lengths_N.max())
    way_T = np.empty(longest, dtype=np.int64)  # packed indices on the way to the row before
    exits_L = np.empty(offsets_N1[-1], dtype=np.int64)
    ids, positions = [], []
    previous, used = np.empty(0, dtype=np.int64), 0
    for n in order:
        row = arrays[n]
        common = common_prefix(previous, row)
        # Here the row before leaves the path: below these tokens nothing more will come, so their exit is the next free
        # place.
        exits_L[way_T[common : len(previous)]] = used
        fresh = len(row) - common
        way_T[common : len(row)] = np.arange(used, used + fresh)
        ids.append(row[common:])
        positions.append(np.arange(common, len(row)))
        path_R[offsets_N1[n] : offsets_N1[n + 1]] = way_T[: len(row)]
        previous, used = row, used + fresh
    exits_L[way_T[: len(previous)]] = used
    return Trie(np.concatenate(ids), np.concatenate(positions), exits_L[:used].copy(), path_R, offsets_N1)


def common_prefix(a: Ints, b: Ints) -> int:
    """Number of leading ids that two rows have in common."""
    shorter = min(len(a), len(b))
    differ = a[:shorter] != b[:shorter]
    return int(differ.argmax()) if differ.any() else shorter


def common_beginning(rows: Sequence[Row]) -> Ints:
    """What all rows begin with, leaving each row at least one token of its own."""
    arrays = [np.asarray(row, dtype=np.int64) for row in rows]
    # Of sorted rows the first and the last have least in common: what those two share, all between them share as well.
    first, last = min(arrays, key=sort_key), max(arrays, key=sort_key)
    return first[: min(common_prefix(first, last), min(map(len, arrays)) - 1)]


def distinct_tokens(rows: Sequence[Row]) -> int:
    """Tokens a pack of `rows` would hold, without building it."""
    arrays = _arrays(rows)
    order = _lexicographic(arrays)
    # In order, a row has at least as much in common with the one before it as with any earlier one.
    shared = sum(common_prefix(arrays[a], arrays[b]) for a, b in pairwise(order))
    return sum(map(len, arrays)) - shared


def plan(groups: Sequence[Sequence[Row]], *, token_budget: int) -> list[list[int]]:
    """Groups of rows that stay together -> packs of group indices, each within `token_budget` distinct tokens.

    A pack may exceed the budget only when it is one group that does. Groups that begin alike land next to each other,
    so a header shared by many is run once a pack; packs are filled evenly rather than full, full, nearly empty.
    Every group is in exactly one pack. Raises as `pack` does, and ConfigError for a budget below 1.
    """
    if token_budget < 1:
        raise ConfigError(f"token_budget is {token_budget}: give at least 1.")
    if not groups:
        raise EmptyBatchError("There are no rows to plan. Give at least one group of rows.")
    arrays = [_arrays(group) for group in groups]
    sizes = [distinct_tokens(group) for group in arrays]
    first = [min(group, key=sort_key) for group in arrays]
    order = _lexicographic(first)
    fresh = {order[0]: sizes[order[0]]}  # tokens a group adds after the group before it in order
    for before, here in pairwise(order):
        fresh[here] = sizes[here] - common_prefix(first[before], first[here])
    # From the fewest packs that could do, each time as evenly as groups allow; the first that fits is the answer.
    for packs in range(max(1, -(-sum(fresh.values()) // token_budget)), len(groups) + 1):
        filled = _fill(order, sizes, fresh, target=-(-sum(fresh.values()) // packs), budget=token_budget)
        if len(filled) <= packs:
            return filled
    return [[group] for group in order]


def _fill(
    order: Sequence[int], sizes: Sequence[int], fresh: dict[int, int], *, target: int, budget: int
) -> list[list[int]]:
    """Groups in order into packs that end as near to the multiples of `target` as groups allow, never over `budget`."""
    packs: list[list[int]] = []
    held = done = 0  # tokens in the open pack, tokens placed so far
    for group in order:
        boundary = len(packs) * target
        reaches_less = done + fresh[group] - boundary <= boundary - done
        if packs and reaches_less and held + fresh[group] <= budget:
            packs[-1].append(group)
            held += fresh[group]
        else:
            packs.append([group])
            held = sizes[group]
        done += fresh[group]
    return packs


def _arrays(rows: Iterable[Row]) -> list[Ints]:
    arrays = [np.asarray(row, dtype=np.int64) for row in rows]
    if not arrays:
        raise EmptyBatchError("There are no rows to pack. Give at least one row of token ids.")
    for n, array in enumerate(arrays):
        if array.ndim != 1 or not len(array):
            raise InputError(f"row {n} has shape {array.shape}: a row is a sequence of at least one token id.")
    return arrays


def sort_key(array: Ints) -> bytes:
    """Bytes that sort as the ids do, a prefix before what it begins."""
    return array.astype(">u8").tobytes()


def _lexicographic(arrays: Sequence[Ints]) -> list[int]:
    keys = [sort_key(array) for array in arrays]
    return sorted(range(len(arrays)), key=keys.__getitem__)
