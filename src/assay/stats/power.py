"""How many pairs would decide, and what a design can see: pairs needed for a verdict, power of a test, prompts needed.

Knows thresholds, variances and design effects; knows no criterion and no study.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import stats as scipy_stats

from assay.stats.unknown import Unknown

MOST = 10**12  # pairs; nobody has more
LIKELY = 0.8  # the usual chance of seeing what is there


def pairs_needed(
    mean: float,
    threshold: float,
    *,
    design_effect: float = 1.0,
    level: float = 0.95,
    clusters_per_pair: float | None = None,
    chance: float = 0.5,
) -> int | Unknown:
    """Pairs at which the Wilson interval of a true `mean` excludes `threshold` with `chance` (one half: if the figure
    comes out at the mean).

    Wilson's interval excludes t exactly when |mean - t| > q sqrt(t(1-t)/n_effective), and the figure itself varies by
    sqrt(p(1-p)/n_effective) around its mean p, so n is the least with
    n > design_effect * (q sqrt(t(1-t)) + z sqrt(p(1-p)))^2 / (p - t)^2, z the normal quantile of `chance`. q is of the
    normal, or, with `clusters_per_pair`, of Student's t for as many clusters as n pairs would bring: with two prompts
    at hand q is 12.7, with fifty it is 2.0.

    >>> pairs_needed(0.75, 0.72)  # 1.96^2 x 0.72 x 0.28 / 0.03^2 = 860.5
    861
    >>> pairs_needed(0.75, 0.72, chance=0.8)  # (1.96 sqrt(.2016) + .842 sqrt(.1875))^2 / .0009
    1721
    >>> pairs_needed(0.72, 0.72)
    Unknown(reason='the figure equals the threshold, so more pairs at this rate would not decide')
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} outside [0, 1]")
    if mean == threshold:
        return Unknown("the figure equals the threshold, so more pairs at this rate would not decide")
    if threshold in (0.0, 1.0):
        return Unknown("no interval of a share excludes 0 or 1 while the share varies")
    bar, own = (math.sqrt(share * (1 - share)) for share in (threshold, min(max(mean, 0.0), 1.0)))
    one, above = design_effect / (mean - threshold) ** 2, float(scipy_stats.norm.ppf(chance)) * own
    return least(lambda n: n > one * (quantile(n, clusters_per_pair, level) * bar + above) ** 2)


def pairs_needed_for_mean(
    mean: float,
    threshold: float,
    *,
    n: int,
    bounds: tuple[float, float],
    level: float = 0.95,
    clusters: int | None = None,
    chance: float = 0.5,
) -> int | Unknown:
    """The same for any mean whose interval, `bounds`, over `n` pairs shrinks as one over the root of n.

    clusters: of the n pairs, where the interval is a t interval over them: then its quantile shrinks as well.

    >>> pairs_needed_for_mean(0.74, 0.72, n=1000, bounds=(0.70, 0.78))  # half the width takes four times the pairs
    4001
    """
    distance = abs(mean - threshold)
    if distance == 0:
        return Unknown("the figure equals the threshold, so more pairs at this rate would not decide")
    half = mean - bounds[0] if mean > threshold else bounds[1] - mean
    rate = None if clusters is None else clusters / n
    # A half-width is quantile x standard error, and only the latter shrinks as one over the root of n: so today's
    # quantile is taken out of it here, and the one of as many pairs put in below.
    one = n * (half / distance / quantile(n, rate, level)) ** 2
    above = float(scipy_stats.norm.ppf(chance))
    return least(lambda pairs: pairs > one * (quantile(pairs, rate, level) + above) ** 2)


def quantile(pairs: int, clusters_per_pair: float | None, level: float) -> float:
    """How many standard errors an interval over `pairs` pairs reaches."""
    tail = 0.5 + level / 2
    if clusters_per_pair is None:
        return float(scipy_stats.norm.ppf(tail))
    # With fewer than two clusters there is no interval at all; the widest there is stands for it.
    return float(scipy_stats.t.ppf(tail, max(pairs * clusters_per_pair - 1, 1)))


def least(holds: Callable[[int], bool]) -> int | Unknown:
    """The smallest positive number for which `holds`, which holds for all beyond it; none where it is past all use."""
    # Doubled, then halved: a quantile of Student's t a step is too slow to count up to millions.
    high = 1
    while not holds(high):
        if high > MOST:
            return Unknown("the figure is so near the threshold that no number of pairs anyone has would decide")
        high *= 2
    low = high // 2  # does not hold there
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def prompt_variance(rate: float, *, votes: float, icc: float, ties: float) -> float:
    """Variance of one prompt's mean score, where a vote scores 1, 1/2 (a tie) or 0 and wins at `rate`, ties half.

    One vote varies by rate (1 - rate) - ties/4; `votes` on one prompt, correlated by `icc`, bring it down by
    (1 + (votes - 1) icc) / votes only.

    >>> prompt_variance(0.5, votes=1, icc=0.0, ties=0.2)
    0.2
    >>> round(prompt_variance(0.5, votes=3, icc=0.3, ties=0.0), 6)  # 0.25 x 1.6 / 3
    0.133333
    """
    # E[s] = wins + ties/2 = rate and E[s^2] = wins + ties/4 = rate - ties/4, hence the variance of one vote.
    return max(rate * (1 - rate) - ties / 4, 1e-9) * (1 + (votes - 1) * icc) / votes


def power_of_t(difference: float, *, error: float, clusters: int, level: float = 0.95) -> float:
    """Chance that a two-sided t test at `level` over `clusters` means sees a true `difference` with standard `error`.

    >>> round(power_of_t(0.0, error=0.05, clusters=50), 6)  # no difference: a false alarm
    0.05
    """
    if clusters < 2:
        return 0.0
    freedom = clusters - 1
    critical = float(scipy_stats.t.ppf(0.5 + level / 2, freedom))
    shift = difference / error
    power = float(scipy_stats.nct.sf(critical, freedom, shift) + scipy_stats.nct.cdf(-critical, freedom, shift))
    # scipy's noncentral t is not a number in places far out; the normal approximation is exact enough there.
    return float(scipy_stats.norm.sf(critical - shift)) if math.isnan(power) else power


def units_to_see(difference: float, *, variance: float, level: float = 0.95, power: float = 0.8) -> int:
    """Independent units (prompts, pairs) at which a true `difference` is seen with `power`; normal approximation.

    variance: of one unit. Source: any text on sample size; (z_level + z_power)^2 variance / difference^2.

    >>> units_to_see(0.1, variance=0.25)  # (1.960 + 0.842)^2 x 25 = 196.2
    197
    """
    reach = float(scipy_stats.norm.ppf(0.5 + level / 2) + scipy_stats.norm.ppf(power))
    return math.ceil(reach**2 * variance / difference**2)
