"""Which prompts are worth an exact comparison: buckets of equal band keys, met two by two, each two once.

Knows keys, signatures and sizes; knows no words. Every array of pairs is bounded by the prompts or by SLICE, never by
pairs: what an earlier band brought up is told from the keys themselves and not remembered. (Remembering it took 8
bytes for each of up to 64 pairs a prompt and band, and np.unique of such pairs, i * N + j, took time that grew with
their square: its hash table takes a number for its own hash, and these are alike in their low bits.)

Names: _N per prompt, _M per member of a bucket, _P per pair, _H per hash.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.data.groups.shingles import I64, U64

Bools = NDArray[np.bool_]
REST = 0.5  # share of word pairs outside the template that near-duplicates have in common
CROWD = 64  # a bucket larger than this compares its members with its first CROWD only
SLICE = 200_000  # pairs looked at at once
ERRORS = 4.5  # standard errors that a MinHash estimate may be too low: 3 in a million true pairs are lost by it


class Joined:
    """Which numbers are joined, directly or through others; `links` are the joins that were needed (a forest)."""

    def __init__(self, count: int) -> None:
        self.parent_N = np.arange(count, dtype=np.int64)
        self.size = array("q", [1]) * count
        self.links: list[tuple[int, int]] = []

    def roots(self, node_P: I64) -> I64:
        """The number that stands for all that each is joined with."""
        root_P = self.parent_N[node_P]
        while True:
            above_P = self.parent_N[root_P]
            if np.array_equal(above_P, root_P):
                # The next walk from here is one step.
                self.parent_N[node_P] = root_P
                return root_P
            root_P = above_P

    def apart(self, left_P: I64, right_P: I64) -> Bools:
        """Whether the two are not yet joined."""
        apart: Bools = self.roots(left_P) != self.roots(right_P)
        return apart

    def join(self, left_P: I64, right_P: I64) -> None:
        for i, j in zip(left_P.tolist(), right_P.tolist(), strict=True):
            one, other = self._root(i), self._root(j)
            if one != other:
                # The smaller under the larger, or walks would grow with the number of joins.
                low, high = (one, other) if self.size[one] <= self.size[other] else (other, one)
                self.parent_N[low] = high
                self.size[high] += self.size[low]
                self.links.append((i, j))

    def _root(self, i: int) -> int:
        parent_N = self.parent_N
        while (above := int(parent_N[i])) != i:
            i = above
        return i


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """One band's buckets: `member_M` lie bucket by bucket. met_N: whether a prompt was put before all of its bucket."""

    member_M: I64
    starts: I64
    sizes: I64
    met_N: Bools

    @property
    def crowds(self) -> int:
        return int((self.sizes > CROWD).sum())

    def pairs(self) -> Iterator[tuple[I64, I64]]:
        """The members two by two, (P,) each, the first of every bucket with all others, then the second, and so on.

        That order matters: where a bucket is one family, its first round joins it, and the rest has nothing to prove.
        """
        for place in range(min(CROWD, int(self.sizes.max(initial=0)) - 1)):
            here = self.sizes > place + 1
            others = self.sizes[here] - place - 1
            first = self.starts[here] + place
            left_P = np.repeat(self.member_M[first], others)
            # Places 1, 2, ... behind each bucket's first, all buckets laid end to end.
            run_P = np.arange(len(left_P)) - np.repeat(np.cumsum(others) - others, others)
            right_P = self.member_M[np.repeat(first + 1, others) + run_P]
            for low in range(0, len(left_P), SLICE):
                yield left_P[low : low + SLICE], right_P[low : low + SLICE]


def buckets(key_N: NDArray[np.uint32], eligible_N: Bools, order_N: U64) -> Buckets:
    """Prompts with equal keys. order_N: which come first in a bucket."""
    member = np.flatnonzero(eligible_N)
    # By key, and within a bucket by what the texts say: which members of a crowd are compared with all others must not
    # depend on the order of the rows.
    member = member[np.lexsort((order_N[member], key_N[member]))]
    key = key_N[member]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(starts, append=len(key))
    several = sizes > 1
    met_N = np.ones(len(key_N), dtype=bool)
    for start, size in zip(starts[sizes > CROWD].tolist(), sizes[sizes > CROWD].tolist(), strict=True):
        met_N[member[start + CROWD : start + size]] = False
    return Buckets(member_M=member, starts=starts[several], sizes=sizes[several], met_N=met_N)


def met_before(left_P: I64, right_P: I64, keys: NDArray[np.uint32], met: Bools) -> Bools:
    """Whether an earlier band put the two beside one another. keys, met: of the earlier bands, (N, bands)."""
    if not keys.shape[1]:
        return np.zeros(len(left_P), dtype=bool)
    together = keys[left_P] == keys[right_P]
    together &= met[left_P] | met[right_P]
    met_P: Bools = together.any(axis=1)
    return met_P


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """marks: a byte of each MinHash (N, H), outside the template; rest_N: word pairs there; size_N: of all."""

    marks: NDArray[np.uint8]
    rest_N: I64
    size_N: I64

    def likely(self, left_P: I64, right_P: I64, threshold: float) -> Bools:
        """Whether two prompts may be alike: by their sizes for certain, by their signatures all but for certain."""
        sizes = self.size_N[left_P], self.size_N[right_P]
        needed_P = self._needed(left_P, right_P, threshold)
        may = (np.minimum(*sizes) >= threshold * np.maximum(*sizes)) & (needed_P <= 1)
        place_P = np.flatnonzero(may)
        alike = (self.marks[left_P[place_P]] == self.marks[right_P[place_P]]).mean(axis=1)
        needed = needed_P[place_P]
        may[place_P] = alike >= needed - ERRORS * np.sqrt(needed * (1 - needed) / self.marks.shape[1])
        return may

    def _needed(self, left_P: I64, right_P: I64, threshold: float) -> NDArray[np.float64]:
        """The least similarity outside the template of two prompts that are alike to `threshold` over everything.

        They share threshold / (1 + threshold) of both sizes or more, of which the template gives at most the smaller
        of their two template parts. Without template text that is the threshold itself.
        """
        size_P = (self.size_N[left_P] + self.size_N[right_P]).astype(np.float64)
        rest_P = self.rest_N[left_P] + self.rest_N[right_P]
        template_P = np.minimum(self.size_N[left_P] - self.rest_N[left_P], self.size_N[right_P] - self.rest_N[right_P])
        shared_P = np.maximum(threshold / (1 + threshold) * size_P - template_P, 0.0)
        # More than both have outside the template: above 1, which no two prompts are.
        needed_P: NDArray[np.float64] = np.maximum(REST, shared_P / np.maximum(rest_P - shared_P, 1e-9) * (1 - 1e-9))
        return needed_P
