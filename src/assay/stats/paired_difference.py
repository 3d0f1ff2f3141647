"""How much was lost from one to another on the same questions: the mean difference and a bound that holds one-sided.

Two things vary: which questions were asked, and which subjects. The interval is the wider of two at either end: Tango's
score interval over questions, which is right where few answers changed and no variance can be measured, and Student's t
over subjects, which is right where subjects lose unlike amounts. Coverage: tests/stats/test_paired_difference.py.
Shapes: N questions, G subjects.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy import stats as scipy_stats

from assay.stats.intervals import Interval, Names, cluster_codes, cluster_t
from assay.stats.unknown import Unknown


def tango(first_only: int, second_only: int, n: int, *, level: float = 0.95) -> Interval | Unknown:
    """Score interval of the difference of two shares over the same n questions: P(first right) - P(second right).

    first_only: questions that only the first got right. Right at 0 differences, unlike Wald's. Source: Tango 1998.

    >>> found = tango(16, 4, 100)
    >>> round(found.low, 3), round(found.high, 3)
    (0.036, 0.212)
    """
    if n <= 0:
        return Unknown("no questions")
    if min(first_only, second_only) < 0 or first_only + second_only > n:
        raise ValueError(f"{first_only} and {second_only} of {n}")
    z = float(scipy_stats.norm.ppf(0.5 + level / 2))
    seen = (first_only - second_only) / n

    def score(shift: float) -> float:
        """How many standard errors the difference seen is from `shift`, less than more as shift grows."""
        linear = -first_only - second_only + (2 * n - first_only + second_only) * shift
        product = -second_only * shift * (1 - shift)
        root = max(linear * linear - 8 * n * product, 0.0)
        second = max((math.sqrt(root) - linear) / (4 * n), 0.0)  # the likeliest share of "second only" at this shift
        variance = n * (2 * second + shift * (1 - shift))
        apart = n * (seen - shift)
        return math.copysign(math.inf, apart) if variance <= 0 and apart else apart / math.sqrt(max(variance, 1e-300))

    def end(sign: int) -> float:
        edge = float(sign)
        if seen == edge or sign * -score(edge * (1 - 1e-9)) <= z:
            return edge
        return float(optimize.brentq(lambda shift: sign * -score(shift) - z, seen, edge * (1 - 1e-9), xtol=1e-9))

    # Where none was lost, the share that may be lost unseen is 1 - alpha^(1/n); the score allows a tenth less.
    unseen = 1 - (0.5 - level / 2) ** (1 / n)
    low = min(end(-1), seen - unseen) if second_only == 0 and first_only < n else end(-1)
    high = max(end(1), seen + unseen) if first_only == 0 and second_only < n else end(1)
    return Interval(low=max(low, -1.0), high=min(high, 1.0), level=level, method="Tango's score for paired shares")


def paired_drop(
    before_N: npt.ArrayLike, after_N: npt.ArrayLike, clusters: Names, *, level: float = 0.9
) -> Interval | Unknown:
    """Interval of mean(before - after), both 0 or 1 on the same questions; at 0.9 each end is a 95% one-sided bound.

    With one cluster it speaks of other questions of that subject and of no other subject, and its method says so.
    """
    before, after = np.asarray(before_N, dtype=np.float64), np.asarray(after_N, dtype=np.float64)
    if before.shape != after.shape:
        raise ValueError(f"{before.size} and {after.size} grades")
    if not before.size:
        return Unknown("no questions that both answered")
    apart = before - after
    by_question = tango(int((apart > 0).sum()), int((apart < 0).sum()), apart.size, level=level)
    if isinstance(by_question, Unknown):
        return by_question
    if int(cluster_codes(clusters).max()) == 0:
        method = f"{by_question.method}, questions of one subject"
        return Interval(low=by_question.low, high=by_question.high, level=level, method=method)
    by_subject = cluster_t(apart, clusters, level=level)
    if isinstance(by_subject, Unknown):
        return by_subject
    return Interval(
        low=max(min(by_question.low, by_subject.low), -1.0),
        high=min(max(by_question.high, by_subject.high), 1.0),
        level=level,
        method="the wider of t clustered by subject and Tango's score over questions",
    )
