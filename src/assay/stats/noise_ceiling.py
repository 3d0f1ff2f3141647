"""The noise ceiling: the accuracy that the best reader of these items could reach against labels made by such votes.

If a share q of all people would vote for one answer of an item, the best reader names that answer (or the other, where
q < 1/2), and a label made by the majority of m votes agrees with him as often as such a majority falls his way. Nobody
knows q: m votes tell the mean of q(1 - q) and a few of its powers, and many crowds of q fit these. So there are two
bounds, and no point between them is better founded than another without an assumption on the crowd.

How: a bound is a figure for each pattern of votes whose mean, at every q, lies above (or below) what the best reader
reaches there. The one of least (greatest) mean over the items is found by linear programming over its coefficients;
being a mean over items, it has a clustered interval like any other mean, and where the votes fit no crowd at all it
stays valid instead of failing. Shapes: I items, P patterns of votes, K coefficients, Q shares on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special
from scipy import stats as scipy_stats

from assay.stats.intervals import Array, Codes, Interval, Names, cluster_codes, cluster_mean
from assay.stats.unknown import Unknown

SHARES = 0.5 + 0.5 * np.sin(np.linspace(0, np.pi / 2, 161)) ** 2  # of votes for the better answer; dense at both ends
STEEPEST = 2.0  # of the figure of any pattern: bounds what one item can do to the mean
MOST_POWERS = 3
FOR_A_POWER = 100  # items of one number of votes for each further power of q(1 - q) that is used
FEWEST_ITEMS = 30
DEEP = 12  # votes on an item from which its own share of them says much of q; such items are bounded together
MOST_KNOTS, MOST_SIZES = 9, 40
MODEST = (0.25, 1.25)  # of the figure of a deep item: little beyond what a reader may reach, so that luck is not fitted
AGREED = 0.6  # share of votes that have to agree for a label, where nothing else is asked for (data.min_agreement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """low, high: the identified interval, ends estimated. interval: around both, with sampling.

    items, votes: that it rests on (items with three votes or more for a side). disagreement: chance that two such
    votes on one item differ. if_beta: the ceiling if shares q were drawn from a symmetric beta distribution; None where
    close items seem to be set aside.
    """

    low: float
    high: float
    interval: Interval
    items: int
    votes: int
    disagreement: float
    if_beta: float | None


def noise_ceiling(
    first_I: npt.ArrayLike, second_I: npt.ArrayLike, clusters: Names, *, level: float = 0.95
) -> Ceiling | Unknown:
    """Bounds on the accuracy of the best reader against the majority of the votes on each item.

    first_I, second_I: votes for either answer, whole numbers; ties and abstentions take no side and are left out. Items
    on which both are equal, or nearly, count where some are given; where none is, they are taken to have been set
    aside, and the ceiling is that of the others.
    Holds for votes that are independent given the item and exchangeable (people drawn at random, as many for each item
    whatever was voted before). Unknown where too few items have three votes: fewer say nothing of how often a majority
    would turn. Source: for one vote a label Ishida et al. 2023 (arXiv 2202.00395); the linear programme is ours.
    """
    first, second = np.asarray(first_I, dtype=np.intp), np.asarray(second_I, dtype=np.intp)
    size = first + second
    used = size >= 3
    if int(used.sum()) < FEWEST_ITEMS:
        return Unknown(
            f"{int(used.sum())} pairs have three votes or more that take a side; {FEWEST_ITEMS} are needed to say how "
            "often such a majority would turn"
        )
    fewer, size = np.minimum(first, second)[used], size[used]
    codes = cluster_codes(np.asarray(clusters)[used])
    if codes.max() < 1:
        return Unknown("all pairs belong to one prompt group, so nothing is known about other prompts")
    low_I, high_I = np.empty(size.size), np.empty(size.size)
    whole = True
    if (deep := size >= DEEP).any():
        low_I[deep], high_I[deep] = _deep_bounds(size[deep], fewer[deep], codes[deep])
        whole = bool((2 * fewer[deep] >= size[deep] - 1).any())
    for votes in np.unique(size[~deep]):
        of = size == votes
        whole &= kept_patterns(int(votes), fewer[of]) == votes // 2
        low_I[of], high_I[of] = _bounds(int(votes), fewer[of])
    # Votes that by luck fit no crowd put the upper bound below the lower; what lies between is then all that is left.
    low, high = sorted(min(max(float(each.mean()), 0.5), 1.0) for each in (low_I, high_I))
    disagree_I = 2.0 * fewer * (size - fewer) / (size * (size - 1))
    return Ceiling(
        low=low,
        high=high,
        interval=_around(low_I, high_I, codes, level=level),
        items=int(size.size),
        votes=int(size.sum()),
        disagreement=float(disagree_I.mean()),
        if_beta=ceiling_of_beta(float(disagree_I.mean()) / 2, size) if whole else None,
    )


def best_reader(votes: int, share_Q: Array, *, most_even: int | None = None) -> Array:
    """How often a majority of so many votes falls to the better answer, at each share of votes for it; (Q,).

    most_even: votes that the smaller side has at most, all closer items being set aside; by default only equal votes
    are. Where equal votes are kept the label is a coin.

    >>> best_reader(3, np.array([0.5, 0.75, 1.0])).round(4).tolist()  # 0.75^3 + 3 x 0.75^2 x 0.25
    [0.5, 0.8438, 1.0]
    """
    last = (votes - 1) // 2 if most_even is None else most_even
    coin = scipy_stats.binom.pmf(last, votes, share_Q) if 2 * last == votes else 0.0
    better = scipy_stats.binom.cdf(last, votes, 1 - share_Q) - coin / 2
    worse = scipy_stats.binom.cdf(last, votes, share_Q) - coin / 2
    return np.asarray(better / (better + worse))


def ceiling_of_beta(product: float, size_I: npt.ArrayLike) -> float:
    """The ceiling if shares are drawn from the symmetric beta distribution whose mean of q(1 - q) is `product`."""
    product = min(max(product, 1e-4), 0.2499)
    shape = 2 * product / (1 - 4 * product)  # of Beta(a, a): mean of q(1 - q) is a / (2 (2a + 1))
    sizes, counts = np.unique(np.asarray(size_I), return_counts=True)
    # By chance, not by share: the density may be infinite at 1, its quantiles are not.
    share = scipy_stats.beta.ppf(0.5 + (np.arange(400) + 0.5) / 800, shape, shape)
    means = [float(best_reader(int(votes), share).mean()) for votes in sizes]
    return float(np.average(means, weights=counts))


def kept_patterns(votes: int, fewer_I: Codes) -> int:
    """Votes the smaller side has at most among items that were kept.

    Items are set aside where too few agree. Nothing here says where that line was drawn: a pattern with less than
    three in five for the larger side that never occurs is taken to lie beyond it, with all closer ones.
    """
    return max(int(fewer_I.max()), int(votes * (1 - AGREED) + 1e-9))


def _bounds(votes: int, fewer_I: Codes) -> tuple[Array, Array]:
    """Of each item what it adds to the mean that bounds from below and from above; of items with `votes` votes."""
    patterns = np.arange(kept_patterns(votes, fewer_I) + 1)
    chance_PQ = _chances(votes, patterns)
    reached_Q = best_reader(votes, SHARES, most_even=int(patterns[-1]))
    basis_PK = _powers(votes, patterns, min(patterns.size - 1, MOST_POWERS, max(1, fewer_I.size // FOR_A_POWER)))
    seen_P = np.bincount(fewer_I, minlength=patterns.size) / fewer_I.size
    mean_QK = chance_PQ.T @ basis_PK
    figures = []
    for side in (1.0, -1.0):  # from above, then from below as the same problem upside down
        found = optimize.linprog(
            side * (seen_P @ basis_PK),
            A_ub=np.concatenate([-side * mean_QK, basis_PK, -basis_PK]),
            b_ub=np.concatenate([-side * reached_Q, np.full(2 * patterns.size, STEEPEST)]),
            bounds=(None, None),
            method="highs",
        )
        # Without an answer there is the bound that needs no votes: between one half and 1.
        plain = np.full(patterns.size, 1.0 if side > 0 else 0.5)
        figures.append(basis_PK @ found.x if found.status == 0 and found.x is not None else plain)
    high_P, low_P = figures
    return low_P[fewer_I], high_P[fewer_I]


def _deep_bounds(size_I: Codes, fewer_I: Codes, codes: Codes) -> tuple[Array, Array]:
    """As `_bounds`, of items with many votes each, whose numbers differ so that few are alike: one figure for them all.

    The figure runs straight between knots over the share of the smaller side, more of them the more items there are. It
    has to lie above (below) what the best reader reaches at every q and for every number of votes. It is chosen on one
    half of the clusters and read on the other: the best choice for the same items would look better than it is.
    """
    most_even = max(float((fewer_I / size_I).max()), 1 - AGREED)  # where the line of what is set aside seems to be
    knots = min(MOST_KNOTS, 2 + fewer_I.size // FOR_A_POWER)
    knot_K = most_even * np.sin(np.linspace(0, np.pi / 2, knots))  # denser where the best reader's chance bends
    sizes = np.unique(size_I)
    sizes = sizes[np.linspace(0, sizes.size - 1, min(sizes.size, MOST_SIZES)).astype(int)]
    mean_QK, reached_Q = [], []
    for votes in sizes:
        last = int(votes * most_even + 1e-9)
        patterns = np.arange(last + 1)
        mean_QK.append(_chances(int(votes), patterns).T @ _hats(patterns / votes, knot_K))
        reached_Q.append(best_reader(int(votes), SHARES, most_even=last))
    seen_IK = _hats(fewer_I / size_I, knot_K)
    means, reached = np.concatenate(mean_QK), np.concatenate(reached_Q)
    high_I, low_I = np.full(fewer_I.size, 1.0), np.full(fewer_I.size, 0.5)
    for half in (codes % 2 == 0, codes % 2 == 1):
        for side, figure_I in ((1.0, high_I), (-1.0, low_I)):
            fitted = seen_IK[~half] if (~half).any() else seen_IK
            found = optimize.linprog(
                side * fitted.mean(axis=0),
                A_ub=-side * means,
                b_ub=-side * reached,
                bounds=MODEST,
                method="highs",
            )
            if found.status == 0 and found.x is not None:
                figure_I[half] = seen_IK[half] @ found.x
    return low_I, high_I


def _chances(votes: int, patterns: Codes) -> Array:
    """Of each pattern at each share of votes, given that the item is not set aside; (P, Q)."""
    chance_PQ = scipy_stats.binom.pmf(patterns[:, None], votes, SHARES) + np.where(
        2 * patterns[:, None] == votes, 0.0, scipy_stats.binom.pmf(votes - patterns[:, None], votes, SHARES)
    )
    return np.asarray(chance_PQ / chance_PQ.sum(axis=0))


def _hats(share_I: Array, knot_K: Array) -> Array:
    """How much each knot counts for a share between two of them; (I, K), rows sum to 1."""
    return np.column_stack([np.interp(share_I, knot_K, row) for row in np.eye(knot_K.size)])


def _powers(votes: int, patterns: Codes, powers: int) -> Array:
    """Unbiased figures of 1, q(1 - q), its square and so on, for each pattern of votes; (P, K)."""
    columns = [np.ones(patterns.size)]
    for power in range(1, powers + 1):
        ways = special.perm(patterns, power) * special.perm(votes - patterns, power)
        # Scaled to lie between 0 and about 1, for the solver: its span is the same.
        columns.append(np.asarray(ways / special.perm(votes, 2 * power) * 4**power))
    return np.column_stack(columns)


def _around(low_I: Array, high_I: Array, codes: Codes, *, level: float) -> Interval:
    """An interval that holds the truth, wherever between the bounds it lies, at the level.

    Where the bounds are far apart the truth can be near one of them only, and one-sided error is enough (Imbens &
    Manski 2004); where they all but meet it takes both sides. The quantile between is by how far apart they are.
    """
    ends = [float(each.mean()) for each in (low_I, high_I)]
    means = [cluster_mean(each, codes) for each in (low_I, high_I)]
    degrees = int(codes.max())
    errors = [float(np.sqrt(one.variance or 0.0)) if not isinstance(one, Unknown) else 0.0 for one in means]
    width, widest = ends[1] - ends[0], max(*errors, 1e-12)
    quantile = float(
        optimize.brentq(
            lambda q: scipy_stats.t.cdf(q + max(width, 0.0) / widest, degrees) - scipy_stats.t.cdf(-q, degrees) - level,
            0.0,
            float(scipy_stats.t.ppf(0.5 + level / 2, degrees)) + 1e-6,
        )
    )
    # Where all votes agree nothing varies, and as many clusters without a disagreement still allow this much.
    slack = 0.0 if max(errors) > 0 else quantile**2 / (degrees + 1 + quantile**2)
    return Interval(
        low=min(max(0.5, min(one - quantile * error for one, error in zip(ends, errors, strict=True)) - slack), 1.0),
        high=max(min(1.0, max(one + quantile * error for one, error in zip(ends, errors, strict=True))), 0.5),
        level=level,
        method="linear programme over what votes identify, t, clustered by prompt group",
    )
