"""What style alone can tell of people's choices, and what of a reward style explains: fits that never saw their pairs.

Folds are of prompt groups, so no pair is judged by a rule that saw its prompt. Fits go through the origin: swapping
the two answers of any pair changes nothing. Knows differences and margins; knows no text.
Shapes: N pairs, F features, S seeds, G prompt groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes
from assay.stats.logistic import cluster_covariance, fit_logistic
from assay.stats.unknown import Unknown

FOLDS = 5
RULE_RIDGE = 1e-3  # of features of size 1: a rule that exists on few pairs stays small
EFFECT_RIDGE = 1e-6  # in place of dropping one of two features that repeat each other
SAME = 1e-9  # log odds under which the rule says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effect of one size of each feature, all others held, (F,), with its standard error and degrees of freedom."""

    value: Array
    error: Array
    freedom: int

    def bounds(self, level: float) -> tuple[Array, Array]:
        reach = float(special.stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        return self.value - reach, self.value + reach

    @property
    def p(self) -> Array:
        """Two-sided, each feature by itself."""
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.nan_to_num(np.abs(self.value / self.error))
        return np.asarray(2 * special.stdtr(self.freedom, -size))


def folds(groups_N: Codes, *, seed: int) -> Iterator[tuple[Array, Array]]:
    """(fitted on, judged on) masks; whole prompt groups, whatever the order of the pairs."""
    order = stream(seed, "style folds").permutation(int(groups_N.max()) + 1)
    place = order[groups_N] % FOLDS
    for fold in range(FOLDS):
        if (place == fold).any():
            yield place != fold, place == fold


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleRule:
    """What rules that never saw a pair say of it. log_odds: of chosen, by the fit, (N,). right: the best rule takes
    chosen: 1, rejected: 0, has no opinion: 1/2; (N,)."""

    log_odds: Array
    right: Array


def rule_out_of_fold(features_NF: Array, longest_N: Array, groups_N: Codes, *, seed: int) -> StyleRule | Unknown:
    """The best of a logistic fit on the features, "longest wins" and "shortest wins", chosen on the other folds.

    longest_N: 1, 1/2 or 0, whether the longest answer is chosen. The fit knows the folds it was made on, so it must
    beat the simple rules there by more than one standard error; else they are what is to be beaten.
    """
    log_odds, right = np.zeros(len(features_NF)), np.zeros(len(features_NF))
    for others, held in folds(groups_N, seed=seed):
        fit = fit_logistic(features_NF[others], np.ones(int(others.sum())), ridge=RULE_RIDGE)
        if isinstance(fit, Unknown):
            return fit
        log_odds[held] = features_NF[held] @ fit.coefficients
        simple = longest_N if longest_N[others].mean() >= 0.5 else 1 - longest_N
        gain = opinion(features_NF[others] @ fit.coefficients) - simple[others]
        error = float(gain.std()) / np.sqrt(gain.size)
        right[held] = opinion(log_odds[held]) if gain.mean() > error else simple[held]
    return StyleRule(log_odds=log_odds, right=right)


def opinion(log_odds_N: Array) -> Array:
    """1 where a rule takes chosen, 0 where rejected, 1/2 where it says nothing."""
    return np.asarray(0.5 + 0.5 * np.sign(np.where(np.abs(log_odds_N) < SAME, 0.0, log_odds_N)))


def margins_out_of_fold(margin_SN: Array, features_NF: Array, groups_N: Codes, *, seed: int) -> Array:
    """Margins as the features foretell them, each seed by a least-squares fit on the other folds; (S, N)."""
    foretold = np.zeros_like(margin_SN)
    for others, held in folds(groups_N, seed=seed):
        known = features_NF[others]
        slopes = np.linalg.solve(_ridged(known), known.T @ margin_SN[:, others].T)
        foretold[:, held] = (features_NF[held] @ slopes).T
    return foretold


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
    return Effects(value=value, error=np.sqrt(np.diag(covariance)), freedom=max(groups - 1, 1))


def effects_on_people(features_NF: Array, groups_N: Codes) -> Effects | Unknown:
    """Log odds of being chosen for one size of each feature, all others held; sandwich over prompt groups."""
    fit = fit_logistic(features_NF, np.ones(len(features_NF)), ridge=RULE_RIDGE)
    if isinstance(fit, Unknown):
        return fit
    covariance = cluster_covariance(fit, groups_N)
    freedom = max(int(groups_N.max()), 1)
    return Effects(value=fit.coefficients, error=np.sqrt(np.diag(covariance)), freedom=freedom)


def _ridged(features_NF: Array) -> Array:
    return np.asarray(features_NF.T @ features_NF + EFFECT_RIDGE * len(features_NF) * np.eye(features_NF.shape[1]))
