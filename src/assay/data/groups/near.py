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
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.data.groups.candidate_pairs import REST, Joined, Signatures, buckets, met_before
from assay.data.groups.shingles import I64, ROWS_AT_ONCE, TOKEN_BITS, U64, shingle

# Two prompts whose word pairs are alike to a share s meet in a bucket with chance 1 - (1 - s^hashes)^bands: at 0.8 in
# over 99% of cases either way, at 0.5 in 86% with the first, in 32% with the second.
FEW, MANY = (31, 4), (12, 5)  # bands and hashes a band: up to 50,000 prompts, and beyond, where candidates abound
FEW_PROMPTS = 50_000
SKETCH_BITS = 22
FLUSH_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Links (L, 2) that join all near-duplicate prompts, directly or through others, and what was done to find them."""

    links: I64
    crowded_buckets: int
    template_prompts: int


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
        signatures = Signatures(marks=marks, rest_N=rest_N, size_N=size_N)
        met = np.ones(keys.shape, dtype=bool)
        joined = Joined(count)
        crowded = 0
        for band in range(keys.shape[1]):
            here = buckets(keys[:, band], rest_N > 0, order)
            crowded += here.crowds
            met[:, band] = here.met_N
            before = partial(met_before, keys=keys[:, :band], met=met[:, :band])
            for left_P, right_P in here.pairs():
                # The cheapest question first: what is joined already needs no proof.
                stays = joined.apart(left_P, right_P)
                stays[stays] = signatures.likely(left_P[stays], right_P[stays], threshold)
                stays[stays] = ~before(left_P[stays], right_P[stays])
                stays[stays] = self.verify(
                    left_P[stays], right_P[stays], start_N=start_N, rest_N=rest_N, threshold=threshold, often=often
                )
                joined.join(left_P[stays], right_P[stays])
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

    def verify(
        self, left_P: I64, right_P: I64, *, start_N: I64, rest_N: I64, threshold: float, often: int
    ) -> NDArray[np.bool_]:
        """The exact answer for pairs of prompts (P,)."""
        found_P = np.zeros(len(left_P), dtype=bool)
        size_N = np.diff(start_N)
        size_P = size_N[left_P] + size_N[right_P]
        for low, high in token_runs(size_P):
            left, right = left_P[low:high], right_P[low:high]
            shared, rest_shared = self.shared(left, right, start_N, often)
            alike = shared >= threshold * (size_P[low:high] - shared)
            rest = rest_N[left] + rest_N[right] - rest_shared
            found_P[low:high] = alike & (rest_shared > 0) & (rest_shared >= REST * rest)
        return found_P

    def shared(self, left_P: I64, right_P: I64, start_N: I64, often: int) -> tuple[I64, I64]:
        """How many word pairs two prompts have in common, and how many of them are no template text; (P,) each."""
        rows, place = np.unique(np.concatenate([left_P, right_P]), return_inverse=True)
        parts = [
            self.read(low, high) for low, high in zip(start_N[rows].tolist(), start_N[rows + 1].tolist(), strict=True)
        ]
        number = np.tile(np.arange(len(left_P), dtype=np.uint64), 2)
        # A pair's number above each word pair's hash, as in shingle: one sort finds what stands in both of all pairs.
        keys = np.concatenate([parts[n] for n in place.tolist()])
        keys |= np.repeat(number, [len(parts[n]) for n in place.tolist()]) << np.uint64(TOKEN_BITS)
        keys.sort()
        both = keys[1:][keys[1:] == keys[:-1]]
        pair = (both >> np.uint64(TOKEN_BITS)).astype(np.int64)
        rare = self.frequency(both & np.uint64(2**TOKEN_BITS - 1)) <= often
        count = len(left_P)
        return np.bincount(pair, minlength=count), np.bincount(pair[rare], minlength=count)


def token_runs(size_P: I64) -> Iterator[tuple[int, int]]:
    """Runs of pairs with at most a million word pairs together, and at most ROWS_AT_ONCE (or one pair with more)."""
    ends = np.cumsum(size_P)
    low = 0
    while low < len(size_P):
        before = int(ends[low - 1]) if low else 0
        high = int(np.searchsorted(ends, before + 2**20, side="right"))
        high = min(max(high, low + 1), low + ROWS_AT_ONCE, len(size_P))
        yield low, high
        low = high


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
