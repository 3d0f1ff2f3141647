"""Which of many prompts are nearly the same: MinHash for candidates, exact Jaccard for the verdict.

Knows sets of hashed word pairs; knows no labels and no groups. Prompts made from a template share its words without
being near-duplicates: word pairs found in more than max(10, sqrt(N)) of N prompts are template text, and two prompts
are near-duplicates only if they are alike over all word pairs AND share half of those that are not template text.
Memory: word pairs are kept in a temporary file beyond 64 MiB; per prompt about 300 bytes stay.
"""

from __future__ import annotations

import math
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.data.groups.shingles import ROWS_AT_ONCE, TOKEN_BITS, U64, shingle

I64 = NDArray[np.int64]
REST = 0.5  # share of word pairs outside the template that near-duplicates have in common
# Two prompts whose word pairs are alike to a share s meet in a bucket with chance 1 - (1 - s^hashes)^bands: at 0.8 in
# over 99% of cases either way, at 0.5 in 86% with the first, in 32% with the second.
FEW, MANY = (31, 4), (12, 5)  # bands and hashes a band: up to 50,000 prompts, and beyond, where candidates abound
FEW_PROMPTS = 50_000
CROWD = 64  # a bucket larger than this compares its members with its first CROWD only
MOST_PAIRS = 8_000_000  # of one size of bucket, at once
SLICE = 200_000
SKETCH_BITS = 22
FLUSH_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Links (L, 2) that join all near-duplicate prompts, directly or through others, and what was done to find them."""

    links: I64
    crowded_buckets: int
    template_prompts: int


class Joined:
    """Which numbers are joined, directly or through others; `links` are the joins that were needed (a forest)."""

    def __init__(self, count: int) -> None:
        self.parent = array("q", range(count))
        self.links: list[tuple[int, int]] = []

    def root(self, i: int) -> int:
        parent = self.parent
        while parent[i] != i:
            # Path halving: every second node on the way gets its grandparent, so later walks are short. Both targets
            # are assigned from the left, and parent[i] must still be of the old i.
            parent[i] = i = parent[parent[i]]
        return i

    def join(self, i: int, j: int) -> None:
        self.parent[self.root(i)] = self.root(j)
        self.links.append((i, j))


class PromptIndex:
    """Distinct normalised prompts, added one by one; `near` finds those that are nearly the same."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.waiting = 0
        self.sizes = array("i")
        self.spool = tempfile.SpooledTemporaryFile(max_size=64 * 2**20)  # noqa: SIM115 (lives as long as the index)
        weakref.finalize(self, self.spool.close)
        self.sketch = np.zeros((2, 2**SKETCH_BITS), dtype=np.uint32)

    def add(self, text: str) -> None:
        self.texts.append(text)
        self.waiting += len(text)
        if self.waiting > FLUSH_CHARACTERS or len(self.texts) >= ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Turn the waiting texts into word pairs, count those, and put them away."""
        if not self.texts:
            return
        tokens, starts = shingle(self.texts)
        self.sizes.extend(np.diff(starts).astype(np.int32).tolist())
        self.spool.write(tokens.tobytes())
        for row, cell in enumerate(cells(tokens)):
            # Not +=, which counts a cell once however often it stands in `cell`.
            np.add.at(self.sketch[row], cell, np.uint32(1))
        self.texts, self.waiting = [], 0

    def near(self, *, threshold: float, seed: int, order: U64) -> Near:
        """Pairs of prompts with a Jaccard similarity of at least `threshold`, template text apart.

        order: a number per prompt (N,) that does not depend on the order of adding; breaks ties between prompts.
        """
        self.flush()
        size_N = (
            np.frombuffer(self.sizes, dtype=np.int32).astype(np.int64) if self.sizes else np.zeros(0, dtype=np.int64)
        )
        start_N = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size_N)])
        count = len(size_N)
        often = max(10, math.isqrt(count))
        keys, marks, rest_N = self.signatures(
            start_N, often=often, bands=FEW if count <= FEW_PROMPTS else MANY, seed=seed
        )
        joined = Joined(count)
        crowded = 0
        seen: I64 = np.zeros(0, dtype=np.int64)
        for band in range(keys.shape[1]):
            found, crowds = bucket_pairs(keys[:, band], rest_N > 0, order)
            # A pair that an earlier band brought up was decided there.
            found = np.setdiff1d(found, seen)
            seen = np.union1d(seen, found)
            crowded += crowds
            for i, j in likely_pairs(found, marks):
                # what is joined already needs no proof
                if joined.root(i) != joined.root(j) and self.verify(i, j, start_N, threshold, often):
                    joined.join(i, j)
        return Near(
            links=np.array(joined.links, dtype=np.int64).reshape(-1, 2),
            crowded_buckets=crowded,
            template_prompts=int(((rest_N * 2 < size_N) & (size_N > 0)).sum()),
        )

    def signatures(
        self, start_N: I64, *, often: int, bands: tuple[int, int], seed: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint8], I64]:
        """Bucket keys (N, bands), one byte of each MinHash (N, hashes), word pairs outside the template (N,)."""
        count, hashes = len(start_N) - 1, bands[0] * bands[1]
        keys = np.zeros((count, bands[0]), dtype=np.uint32)
        marks = np.zeros((count, hashes), dtype=np.uint8)
        rest_N = np.zeros(count, dtype=np.int64)
        for low, high in chunks(start_N):
            tokens = self.read(int(start_N[low]), int(start_N[high]))
            offset = start_N[low : high + 1] - start_N[low]
            kept = self.frequency(tokens) <= often
            running = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
            rest_offset = running[offset]
            rest_N[low:high] = np.diff(rest_offset)
            # Without template text: with it all prompts of one template would be candidates of one another, N^2 of
            # them.
            hash_NH = minhash(tokens[kept], rest_offset, hashes=hashes, seed=seed)
            marks[low:high] = (hash_NH & 0xFF).astype(np.uint8)
            keys[low:high] = band_keys(hash_NH, bands)
        return keys, marks, rest_N

    def frequency(self, tokens: U64) -> NDArray[np.uint32]:
        """In how many prompts each word pair occurs; a count-min sketch, so never too low."""
        first, second = cells(tokens)
        rarer: NDArray[np.uint32] = np.minimum(self.sketch[0][first], self.sketch[1][second])
        return rarer

    def read(self, low: int, high: int) -> U64:
        self.spool.seek(8 * low)
        return np.frombuffer(self.spool.read(8 * (high - low)), dtype=np.uint64)

    def verify(self, i: int, j: int, start_N: I64, threshold: float, often: int) -> bool:
        """The exact answer for two prompts."""
        first, second = (self.read(int(start_N[k]), int(start_N[k + 1])) for k in (i, j))
        shared = np.intersect1d(first, second, assume_unique=True)
        if len(shared) < threshold * (len(first) + len(second) - len(shared)):
            return False
        rest = [int((self.frequency(part) <= often).sum()) for part in (first, second, shared)]
        return rest[2] > 0 and rest[2] >= REST * (rest[0] + rest[1] - rest[2])


def likely_pairs(pairs: I64, marks: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """Those of the pairs i * N + j whose signatures agree enough to be worth the exact comparison."""
    for start in range(0, len(pairs), SLICE):
        left, right = np.divmod(pairs[start : start + SLICE], len(marks))
        alike = (marks[left] == marks[right]).mean(axis=1)
        likely = alike >= REST - 0.2  # three standard errors of the estimate from 60 hashes, and more from 124
        yield from zip(left[likely].tolist(), right[likely].tolist(), strict=True)


def cells(tokens: U64) -> tuple[I64, I64]:
    """The two places of each word pair in the sketch."""
    mask = np.uint64(2**SKETCH_BITS - 1)
    return (tokens & mask).astype(np.int64), ((tokens >> np.uint64(TOKEN_BITS - SKETCH_BITS)) & mask).astype(np.int64)


def chunks(start_N: I64) -> Iterator[tuple[int, int]]:
    """Runs of at most 2,048 prompts with at most a quarter of a million word pairs (or one prompt with more)."""
    low, count = 0, len(start_N) - 1
    while low < count:
        high = int(np.searchsorted(start_N, start_N[low] + 2**18, side="right"))
        high = min(max(high - 1, low + 1), count, low + 2048)
        yield low, high
        low = high


def minhash(tokens: U64, offset: I64, *, hashes: int, seed: int) -> NDArray[np.uint32]:
    """MinHash signatures (N, hashes) of sets laid end to end; sets without members have no meaning."""
    from rensa import RMinHash

    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.ascontiguousarray(tokens), offset.astype(np.uint64), hashes, seed & 0xFFFF_FFFF_FFFF_FFFF
    )
    return np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(offset) - 1, hashes)


def band_keys(hash_NH: NDArray[np.uint32], bands: tuple[int, int]) -> NDArray[np.uint32]:
    """One key for each band (N, bands)."""
    parts = hash_NH.reshape(len(hash_NH), *bands).astype(np.uint64)
    key = np.zeros(parts.shape[:2], dtype=np.uint64)
    for place in range(bands[1]):
        key = (key ^ parts[:, :, place]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    # Half the bits will do: two bands that fall together by chance cost one comparison and change no answer.
    return (key >> np.uint64(32)).astype(np.uint32)


def bucket_pairs(key_N: NDArray[np.uint32], eligible_N: NDArray[np.bool_], order: U64) -> tuple[I64, int]:
    """Members of one bucket two by two, as i * N + j with i < j; and how many buckets were crowds."""
    member = np.flatnonzero(eligible_N)
    # By key, and within a bucket by what the texts say: which members of a crowd are compared with all others must not
    # depend on the order of the rows.
    member = member[np.lexsort((order[member], key_N[member]))]
    key = key_N[member]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(starts, append=len(key))
    found: list[I64] = []
    for size in np.unique(sizes[sizes > 1]):
        members = member[starts[sizes == size][:, None] + np.arange(size)]  # (buckets of this size, size)
        anchors = max(1, min(int(size), CROWD, MOST_PAIRS // members.size))
        for place in range(anchors):
            first, others = members[:, place : place + 1], members[:, place + 1 :]
            low, high = np.minimum(first, others), np.maximum(first, others)
            found.append((low * len(key_N) + high).ravel())
    pairs = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    return pairs, int((sizes > CROWD).sum())
