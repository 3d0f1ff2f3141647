"""Random numbers as an argument: one independent generator per seed and use. Knows no global state."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, use: str) -> np.random.Generator:
    """The generator of `seed` for one named use; other names give independent numbers, other runs the same ones.

    >>> bool(stream(0, "split").random() == stream(0, "split").random())
    True
    >>> bool(stream(0, "split").random() == stream(0, "bootstrap").random())
    False
    """
    # Hashed, since Python's own hash of a text is another one in each process.
    key = int.from_bytes(hashlib.sha256(use.encode()).digest()[:8], "big")
    return np.random.default_rng([seed & 0xFFFF_FFFF_FFFF_FFFF, key])
