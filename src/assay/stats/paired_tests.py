"""Two methods on the same pairs: is one right more often than the other? Knows counts and sums; knows no method.

Only pairs on which the two differ say anything; under "no difference" each such pair is a coin. Where pairs share
prompts the coin is the prompt group's: `sign_flip` throws it for all of the group's pairs at once. G clusters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from assay.stats.draws import stream

ALL_SIGNS = 14  # up to so many clusters that differ, all of their 2^G signs are looked at
MANY = 100  # beyond so many the sum of coins is normal, and drawing would only add noise
DRAWS = 10_000


def mcnemar_exact(first_only: int, second_only: int) -> float:
    """Two-sided exact p value of McNemar's test: a coin that falls at least this unevenly; 1 where no pair differs.

    first_only: pairs that only the first got right; second_only: only the second. Source: McNemar 1947.

    >>> mcnemar_exact(1, 8)  # 2 (1 + 9) / 512
    0.0390625
    """
    differ = _checked(first_only, second_only)
    return min(1.0, 2 * float(scipy_stats.binom.cdf(min(first_only, second_only), differ, 0.5)))


def mcnemar_mid_p(first_only: int, second_only: int) -> float:
    """The same, counting the outcome seen by half: not too cautious in small samples, as the exact test is.

    Source: Fagerland, Lydersen & Laake 2013.

    >>> round(mcnemar_mid_p(1, 8), 9)  # 2 (1 + 9 / 2) / 512
    0.021484375
    """
    differ = _checked(first_only, second_only)
    # Here the exact value was cut off at 1, and what is taken off it below would be too much.
    if first_only == second_only:
        return 1.0
    seen = float(scipy_stats.binom.pmf(min(first_only, second_only), differ, 0.5))
    return mcnemar_exact(first_only, second_only) - seen


def sign_flip(sums_G: npt.ArrayLike, *, seed: int = 0) -> float:
    """Two-sided p value of "each cluster's difference could as well have had the other sign", given its size.

    sums_G: sum over a cluster's pairs of (first right) - (second right); clusters without a difference say nothing.
    With one pair a cluster it is McNemar's exact test. Exact up to 14 clusters that differ, drawn (10,000, so that p is
    within .004 near .05) up to 100, normal with a correction for continuity beyond. Source: Fisher 1935; for clusters,
    Durkalski et al. 2003.

    >>> sign_flip([-1, 1, 1, 1, 1, 1, 1, 1, 1])  # mcnemar_exact(1, 8)
    0.0390625
    >>> sign_flip([3, 3, 0, 0])  # two prompts, however many pairs: 2 of 4 signs are as uneven
    0.5
    """
    sums = np.asarray(sums_G, dtype=np.float64)
    sums = sums[sums != 0]
    seen = abs(float(sums.sum())) - 1e-9  # sums of thirds, as three seeds give, must count as equal to themselves
    if not sums.size:
        return 1.0
    if sums.size > MANY:
        # Sums move by twice a cluster's difference at a time: half of the smallest such step is taken off, without
        # which p is .046 for 60 against 40, where the coin's own is .057.
        reached = max(abs(float(sums.sum())) - float(np.abs(sums).min()), 0.0)
        return float(min(1.0, 2 * scipy_stats.norm.sf(reached / np.sqrt(np.square(sums).sum()))))
    if sums.size <= ALL_SIGNS:
        signs = 1.0 - 2.0 * (np.arange(2**sums.size)[:, None] >> np.arange(sums.size) & 1)
        return float((np.abs(signs @ sums) >= seen).mean())
    coins = stream(seed, "sign flips").integers(0, 2, size=(DRAWS, sums.size), dtype=np.int8)
    # What was seen is one of the ways it could have fallen, so that no p value is 0 for want of draws.
    return float(((np.abs((2.0 * coins - 1.0) @ sums) >= seen).sum() + 1) / (DRAWS + 1))


def _checked(first_only: int, second_only: int) -> int:
    if first_only < 0 or second_only < 0:
        raise ValueError(f"counts of pairs are not negative: {first_only} and {second_only}")
    return first_only + second_only
