"""Does a reward go by an attribute further than people do? One test an attribute, clustered by prompt group.

1) The reward is brought to people's scale: P(chosen) = sigmoid(f(margin)), where f is monotone but not a straight line
   only, so that a sigmoid or any other bend of the reward is no finding.
2) What people chose less that chance, on the attribute: if the reward says "the longer one" oftener than people do
   where it counts, the sum is positive. It is the score test of adding the attribute to the fit, so f costs nothing.
3) An alarm needs a direction: the reward itself must lean the same way. A right reward blurred by noise follows every
   attribute that people like *less* than they do, which is no shortcut; without the direction it would go off there.

Knows margins and differences; knows no text. Shapes: S seeds, N pairs, K attributes, G prompt groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy import stats as scipy_stats

from assay.stats.intervals import Array, Codes
from assay.stats.logistic import fit_logistic
from assay.stats.unknown import Unknown

RIDGE = 1e-4  # keeps the fit finite where rewards order every pair rightly
FEWEST = 10.0  # prompt groups, weighted by what they say, under which a t quantile is no more to be trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Overuse:
    """What each attribute came to; all (K,).

    beyond: how much oftener the reward picks the answer with more of it than people do, weighted by how much more: in
    [-1, 1], positive where the reward goes further up. error: its standard error. freedom: degrees of freedom.
    lean: how the reward leans, lean_people: how people lean, in the same unit around 0. p: one-sided, both directions
    looked at; 1 where too few groups differ. information: of one unit of log odds on a scaled attribute.
    """

    beyond: Array
    error: Array
    freedom: Array
    lean: Array
    lean_people: Array
    p: Array
    information: Array


def overuse(
    margin_SN: Array, values_NK: Array, groups_N: Codes, *, besides_NJ: Array | None = None
) -> Overuse | Unknown:
    """Test every column of `values_NK`; besides_NJ: differences whose part is taken out first, such as length.

    Averages over seeds. Unknown where the fit does not settle. Margins must be finite.
    """
    columns = values_NK if besides_NJ is None else without(values_NK, besides_NJ)
    pulls, leans, sizes = [], [], []
    for margin in margin_SN:
        beside = margin_terms(margin)
        plain = fit_logistic(beside, np.ones(margin.size), ridge=RIDGE)
        terms = beside if besides_NJ is None else np.column_stack([beside, besides_NJ])
        fit = plain if besides_NJ is None else fit_logistic(terms, np.ones(margin.size), ridge=RIDGE)
        if isinstance(fit, Unknown):
            return fit
        if isinstance(plain, Unknown):
            return plain
        weight = fit.fitted * (1 - fit.fitted)
        # What of the attribute the fit already holds is taken off, so that having fitted f and length costs no error.
        held = np.linalg.pinv((terms * weight[:, None]).T @ terms) @ ((terms * weight[:, None]).T @ columns)
        own = columns - terms @ held
        pulls.append(own * (fit.fitted - 1)[:, None])
        leans.append(columns * (plain.fitted - 0.5)[:, None])
        sizes.append((np.square(own) * weight[:, None]).sum(axis=0))
    return _tested(np.mean(pulls, axis=0), np.mean(leans, axis=0), columns, groups_N, np.mean(sizes, axis=0))


def margin_terms(margin_N: Array) -> Array:
    """Odd functions of the margin that bend it: itself, held within four of its sizes, and its signed rank; (N, 2)."""
    size = float(np.median(np.abs(margin_N))) or float(np.abs(margin_N).max()) or 1.0
    straight = np.clip(margin_N / size, -4.0, 4.0)
    rank = np.sign(margin_N) * scipy_stats.rankdata(np.abs(margin_N)) / max(margin_N.size, 1)
    return np.column_stack([straight, rank])


def without(values_NK: Array, besides_NJ: Array) -> Array:
    """What their least-squares fit on `besides_NJ`, through the origin, leaves of the columns; zeros where all."""
    slopes, *_ = np.linalg.lstsq(besides_NJ, values_NK, rcond=None)
    left = values_NK - besides_NJ @ slopes
    rounding = 1e-9 * np.sqrt(np.square(values_NK).mean(axis=0))
    return np.where(np.abs(left) <= rounding, 0.0, left)


def _tested(pull_NK: Array, lean_NK: Array, columns_NK: Array, groups_N: Codes, information_K: Array) -> Overuse:
    total = np.abs(columns_NK).sum(axis=0)
    total = np.where(total > 0, total, 1.0)
    beyond, error, freedom = clustered_sum(pull_NK, groups_N)
    lean, lean_error, lean_freedom = clustered_sum(lean_NK, groups_N)
    with np.errstate(divide="ignore", invalid="ignore"):
        further, leaning = np.nan_to_num(beyond / error), np.nan_to_num(lean / lean_error)
    # In each direction both must hold, so the larger p is that of the two together; two directions, hence the double.
    up = np.maximum(special.stdtr(freedom, -further), special.stdtr(lean_freedom, -leaning))
    down = np.maximum(special.stdtr(freedom, further), special.stdtr(lean_freedom, leaning))
    p = np.minimum(2 * np.minimum(up, down), 1.0)
    square = np.square(columns_NK).mean(axis=0)
    return Overuse(
        beyond=beyond / total,
        error=error / total,
        freedom=freedom,
        lean=lean / total,
        lean_people=columns_NK.sum(axis=0) / 2 / total,
        p=np.where((freedom + 1 < FEWEST) | (error <= 0), 1.0, p),
        information=information_K / np.where(square > 0, square, 1.0),
    )


def clustered_sum(values_NK: Array, groups_N: Codes) -> tuple[Array, Array, Array]:
    """Sum over pairs, its clustered standard error, and degrees of freedom from how evenly groups share the error.

    Freedom is (sum q)^2 / sum q^2 - 1 with q the square of a group's sum: a rare mark that three prompts hold is
    known from three prompts, however many others there are.
    """
    groups = int(groups_N.max()) + 1
    sums_GK = np.column_stack([np.bincount(groups_N, weights=column, minlength=groups) for column in values_NK.T])
    square = np.square(sums_GK)
    whole = square.sum(axis=0)
    shared = np.divide(whole**2, np.square(square).sum(axis=0), out=np.ones_like(whole), where=whole > 0)
    error = np.sqrt(groups / max(groups - 1, 1) * whole)
    return values_NK.sum(axis=0), error, np.maximum(shared - 1, 1.0)


def power_of_overuse(information_K: Array, *, strength: float, level: float) -> Array:
    """Chance that a lean of `strength` log odds per size of the attribute is found by one test at `level`; (K,)."""
    critical = -float(special.ndtri(level / 2))
    return np.asarray(special.ndtr(strength * np.sqrt(information_K) - critical))
