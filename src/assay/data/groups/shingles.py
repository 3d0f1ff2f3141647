"""Texts -> sets of hashed word pairs, in numpy. Knows letters and words; knows no prompts and no threshold.

Names: _C per character, _W per word, _S per shingle, _N per text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
WORD, ALONE = 1, 2  # a character inside a word; one that is a word by itself
# Scripts written without spaces: every character counts as a word.
UNSPACED = ((0x0E00, 0x0F00), (0x0F00, 0x10A0), (0x1780, 0x1800), (0x2E80, 0x3000), (0x3040, 0xA000), (0xF900, 0xFB00),
            (0x20000, 0x40000))  # fmt: skip
# A row's number and a word pair's hash share 64 bits, so that one sort of plain integers makes sets of all rows. 14
# bits are left for rows; two of a million word pairs fall together in 50 bits in 1 case of 2,000.
TOKEN_BITS = 50
ROWS_AT_ONCE = 2 ** (64 - TOKEN_BITS)
MOST_CHARACTERS = 200_000  # of one text; what follows does not count for nearness
_A, _B, _C3 = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def normalised(text: str) -> str:
    """A text as two of them are compared: Unicode form, case and white space made one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


@cache
def classes() -> NDArray[np.uint8]:
    """WORD, ALONE or 0 for every code point."""
    table = np.zeros(0x110000, dtype=np.uint8)
    table[0x80:] = WORD
    for code in range(0x800):
        table[code] = WORD if chr(code).isalnum() else 0
    table[0x300:0x370] = WORD  # combining accents
    for low, high in ((0x2000, 0x2070), (0x2190, 0x2C00), (0xFF00, 0xFF10)):
        table[low:high] = 0
    for low, high in UNSPACED:
        table[low:high] = ALONE
    for code in (*range(0x3000, 0x3030), 0xFF1A, 0xFF1B, 0xFF1F, 0xFF01):
        table[code] = 0
    return table


@lru_cache(maxsize=2)
def powers(count: int) -> tuple[U64, U64]:
    """The first `count` powers of an odd number, and of its inverse modulo 2**64."""
    base = int(_A) | 1
    up, down = (np.full(count, x, dtype=np.uint64) for x in (base, pow(base, -1, 2**64)))
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


def mixed(value: U64) -> U64:
    """A bijection that spreads every bit over all (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def shingle(texts: Sequence[str]) -> tuple[U64, I64]:
    """Distinct hashed word pairs of each text, sorted, one text after the other, and where each text starts (N + 1,).

    texts: at most ROWS_AT_ONCE, normalised. A text of one word has that word; one without words has none.
    """
    cut = [text[:MOST_CHARACTERS] for text in texts]
    # A line break is inside no word, so no word spans two texts.
    joined = "\n".join(cut)
    code_C: NDArray[np.uint8] | NDArray[np.uint32]
    if joined.isascii():
        code_C = np.frombuffer(joined.encode(), dtype=np.uint8)
    else:
        code_C = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    ends_N = np.cumsum(np.fromiter((len(text) + 1 for text in cut), dtype=np.int64, count=len(cut)))
    class_C = classes()[code_C]
    inside_C, alone_C = class_C == WORD, class_C == ALONE
    edge_C = np.diff(inside_C, prepend=False, append=False)  # (C + 1,) where a word begins or ends
    start_W = np.flatnonzero((edge_C[:-1] & inside_C) | alone_C)
    end_W = np.flatnonzero((edge_C[1:] & inside_C) | alone_C) + 1
    if not len(start_W):
        return np.empty(0, dtype=np.uint64), np.zeros(len(texts) + 1, dtype=np.int64)
    word_W = word_hashes(code_C, start_W, end_W)
    row_W = np.searchsorted(ends_N, start_W, side="right").astype(np.uint64)
    return as_sets(word_W, row_W, len(texts))


def word_hashes(code_C: NDArray[np.uint8] | NDArray[np.uint32], start_W: I64, end_W: I64) -> U64:
    """A polynomial in the letters of each word, whatever its place: differences of one running sum."""
    # Rounded up to a power of two, so that the tables made for one call serve the next.
    size = 1 << max(16, len(code_C).bit_length())
    up, down = powers(size)
    sum_C = np.zeros(len(code_C) + 1, dtype=np.uint64)
    # Modulo 2**64 an odd number has an inverse: multiplied by its power, a word's sum forgets where the word stood.
    np.cumsum((code_C.astype(np.uint64) + np.uint64(1)) * up[: len(code_C)], out=sum_C[1:])
    return mixed((sum_C[end_W] - sum_C[start_W]) * down[start_W])


def as_sets(word_W: U64, row_W: U64, count: int) -> tuple[U64, I64]:
    """Neighbouring words of one row as one hash, each once a row, in order."""
    together_W = row_W[:-1] == row_W[1:]
    pair_S = mixed(word_W[:-1] * _A + (word_W[1:] ^ _B) * _C3)[together_W]
    words_N = np.bincount(row_W.astype(np.int64), minlength=count)
    single_W = words_N[row_W.astype(np.int64)] == 1
    token_S = np.concatenate([pair_S, mixed(word_W[single_W] ^ _C3)])
    row_S = np.concatenate([row_W[:-1][together_W], row_W[single_W]])
    key_S = (row_S << np.uint64(TOKEN_BITS)) | (token_S >> np.uint64(64 - TOKEN_BITS))
    key_S.sort()
    first_S = np.empty(len(key_S), dtype=bool)
    first_S[:1] = True
    first_S[1:] = key_S[1:] != key_S[:-1]
    key_S = key_S[first_S]
    size_N = np.bincount((key_S >> np.uint64(TOKEN_BITS)).astype(np.int64), minlength=count)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size_N)])
    return key_S & np.uint64(2**TOKEN_BITS - 1), starts
