"""Two methods on the same pairs: is one right more often than the other? Knows counts; knows no method.

Only pairs on which the two differ say anything; under "no difference" each such pair is a coin.
"""

from __future__ import annotations

from scipy import stats as scipy_stats


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


def _checked(first_only: int, second_only: int) -> int:
    if first_only < 0 or second_only < 0:
        raise ValueError(f"counts of pairs are not negative: {first_only} and {second_only}")
    return first_only + second_only
