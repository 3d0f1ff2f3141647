"""What picking the best of n by one number comes to in another: unbiased, from N candidates a prompt, without drawing.

1) sort the N candidates by the proxy; 2) the i-th lowest is the best of n drawn without replacement in
C(i-1, n-1) / C(N, n) of all draws; 3) the mean of any value under these weights is its expectation at best of n.
Knows arrays; knows no reward and no prompt. Letters: L leading axes, N candidates, M values of n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Array


def kl_bound(n: float) -> float:
    """Most that best of n can lie from the policy it draws from, in nats of KL divergence: log n - (n - 1)/n.

    An upper bound, and not the divergence itself, which is smaller where answers repeat. Source: Beirami et al. 2024
    (2401.01879).

    >>> kl_bound(1), round(kl_bound(256), 3)
    (0.0, 4.549)
    """
    if n < 1:
        raise ValueError(f"best of {n}")
    return math.log(n) - (n - 1) / n


def powers_of_two(largest: int) -> tuple[int, ...]:
    """1, 2, 4, ... up to `largest`.

    >>> powers_of_two(12)
    (1, 2, 4, 8)
    """
    return tuple(2**place for place in range(largest.bit_length())) if largest >= 1 else ()


def place_weights(size: int, ns: Sequence[int]) -> Array:
    """Chance that the candidate of each place, lowest first, is the best of n drawn from `size`; (M, N), rows sum to 1.

    Raises ValueError where an n is below 1 or above `size`.

    >>> place_weights(3, [1, 2, 3]).round(6).tolist()  # of the three couples two have the highest, one the middle
    [[0.333333, 0.333333, 0.333333], [0.0, 0.333333, 0.666667], [0.0, 0.0, 1.0]]
    """
    if any(not 1 <= n <= size for n in ns):
        raise ValueError(f"best of {list(ns)} from {size} candidates")
    place, n = np.arange(1.0, size + 1), np.asarray(ns, dtype=np.float64)[:, None]
    # By logarithms: C(256, 128) is beyond what a float holds a difference of, and beyond 1,000 what it holds at all.
    above = np.maximum(place - n, 0.0)
    log = special.gammaln(place) - special.gammaln(n) - special.gammaln(above + 1)
    log -= special.gammaln(size + 1.0) - special.gammaln(n + 1) - special.gammaln(size - n + 1)
    weight = np.where(place >= n, np.exp(log), 0.0)
    # What the logarithms lost, some 1e-12 of it, is put back: a value that is the same for all must stay what it is.
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def expected_best(proxy_LN: npt.ArrayLike, value_LN: npt.ArrayLike, ns: Sequence[int]) -> Array:
    """Mean value of the candidate with the highest proxy among n drawn without replacement; (L, M).

    proxy_LN, value_LN: broadcast against each other, such as (S, G, N) and (G, N); finite. Equal proxies share: the
    mean over all ways to break the tie. Unbiased for best of n of the policy, for each n up to N.
    Source: Nakano et al. 2021 (2112.09332), appendix; ties are ours.

    >>> expected_best([0.1, 0.5, 0.9], [10.0, 40.0, 70.0], [1, 2, 3]).round(6).tolist()
    [40.0, 60.0, 70.0]
    >>> expected_best([1.0, 1.0, 1.0], [10.0, 40.0, 70.0], [1, 2, 3]).round(6).tolist()
    [40.0, 40.0, 40.0]
    """
    proxy, value = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (proxy_LN, value_LN)))
    order = np.argsort(proxy, axis=-1, kind="stable")
    lowest_first = np.take_along_axis(proxy, order, axis=-1)
    # To share the weight of a tie is to give each of it the mean of its values: then one product serves every n.
    shared = tied_means(lowest_first, np.take_along_axis(value, order, axis=-1))
    return np.asarray(shared @ place_weights(proxy.shape[-1], ns).T)


def pick_chances(proxy_LN: npt.ArrayLike, n: int) -> Array:
    """Chance of each candidate to be the pick at best of n, equal proxies alike; (L, N), sums to 1 over N.

    >>> pick_chances([0.9, 0.1, 0.9], 2).round(6).tolist()
    [0.5, 0.0, 0.5]
    """
    proxy = np.asarray(proxy_LN, dtype=np.float64)
    order = np.argsort(proxy, axis=-1, kind="stable")
    lowest_first = np.take_along_axis(proxy, order, axis=-1)
    weight = np.broadcast_to(place_weights(proxy.shape[-1], [n])[0], proxy.shape)
    chance = np.empty(proxy.shape)
    np.put_along_axis(chance, order, tied_means(lowest_first, weight), axis=-1)
    return chance


def tied_means(sorted_LN: Array, value_LN: Array) -> Array:
    """Each value replaced by the mean over those whose sorted number equals its own, row by row; (L, N)."""
    first = np.ones(sorted_LN.shape, dtype=bool)
    first[..., 1:] = sorted_LN[..., 1:] != sorted_LN[..., :-1]
    starts = np.flatnonzero(first.ravel())
    sizes = np.diff(np.append(starts, first.size))
    means = np.add.reduceat(value_LN.ravel(), starts) / sizes
    return np.asarray(np.repeat(means, sizes).reshape(sorted_LN.shape))
