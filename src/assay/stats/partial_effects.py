"""What one feature does with all others held: to a reward's margins, and to what people choose.

Fits go through the origin, since features and margins are differences of two answers: swapping the two changes
nothing. Knows differences and margins; knows no text. Shapes: S seeds, N pairs, F features, T targets, G prompt groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.stats.intervals import Array, Codes
from assay.stats.logistic import cluster_covariance, fit_logistic
from assay.stats.unknown import Unknown

RULE_RIDGE = 1e-3  # of features of size 1: a rule that exists on few pairs stays small
EFFECT_RIDGE = 1e-6  # in place of dropping one of two features that repeat each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effect of one size of each feature, all others held, (F,), with its covariance (F, F) and degrees of freedom."""

    value: Array
    covariance: Array
    freedom: int

    @property
    def error(self) -> Array:
        return np.sqrt(np.diag(self.covariance))

    def bounds(self, level: float) -> tuple[Array, Array]:
        reach = float(special.stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        return self.value - reach, self.value + reach

    @property
    def p(self) -> Array:
        """Two-sided, each feature by itself."""
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.nan_to_num(np.abs(self.value / self.error))
        return np.asarray(2 * special.stdtr(self.freedom, -size))

    def p_together(self, places: Sequence[int]) -> float:
        """That these features do nothing, looked at as one (Wald): two that repeat each other are unsure only apart."""
        value, covariance = self.value[list(places)], self.covariance[np.ix_(places, places)]
        wald = float(value @ np.linalg.pinv(covariance) @ value) / len(places)
        return float(special.fdtrc(len(places), self.freedom, wald))


def effects_on_margin(margin_SN: Array, features_NF: Array, groups_N: Codes) -> Effects:
    """Least-squares effects on the margin, in its own sizes, mean over seeds; sandwich over prompt groups."""
    most = np.abs(margin_SN).max(axis=1, keepdims=True)
    held = margin_SN / np.where(most > 0, most, 1.0)  # keeps the squares in range
    size = np.sqrt(np.square(held).mean(axis=1, keepdims=True))
    margin_N = (held / np.where(size > 0, size, 1.0)).mean(axis=0)
    bread = np.linalg.inv(_ridged(features_NF))
    value = bread @ (features_NF.T @ margin_N)
    pull_NF = features_NF * (margin_N - features_NF @ value)[:, None]
    groups = int(groups_N.max()) + 1
    pull_GF = np.column_stack([np.bincount(groups_N, weights=column, minlength=groups) for column in pull_NF.T])
    covariance = groups / max(groups - 1, 1) * bread @ (pull_GF.T @ pull_GF) @ bread
    return Effects(value=value, covariance=covariance, freedom=max(groups - 1, 1))


def effects_on_people(features_NF: Array, groups_N: Codes) -> Effects | Unknown:
    """Log odds of being chosen for one size of each feature, all others held; sandwich over prompt groups."""
    fit = fit_logistic(features_NF, np.ones(len(features_NF)), ridge=RULE_RIDGE)
    if isinstance(fit, Unknown):
        return fit
    covariance = cluster_covariance(fit, groups_N)
    freedom = max(int(groups_N.max()), 1)
    return Effects(value=fit.coefficients, covariance=covariance, freedom=freedom)


def least_squares(features_NF: Array, target_NT: Array) -> Array:
    """Slopes of each target on the features, (F, T) or (F,); a hair of ridge for features that repeat each other."""
    return np.asarray(np.linalg.solve(_ridged(features_NF), features_NF.T @ target_NT))


def columns_that_add(values_NF: Array) -> list[int]:
    """Places of the columns that earlier ones do not already tell, up to a thousandth.

    >>> columns_that_add(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [3.0, 6.0, 0.0]]))  # the second is twice the first
    [0, 2]
    """
    kept: list[int] = []
    basis = np.zeros((len(values_NF), 0))
    for place, column in enumerate(values_NF.T):
        left = column - basis @ (basis.T @ column)
        if np.linalg.norm(left) > 1e-3 * np.linalg.norm(column):
            kept.append(place)
            basis = np.column_stack([basis, left / np.linalg.norm(left)])
    return kept


def _ridged(features_NF: Array) -> Array:
    return np.asarray(features_NF.T @ features_NF + EFFECT_RIDGE * len(features_NF) * np.eye(features_NF.shape[1]))
