"""What style alone can tell of people's choices, and what of a reward style explains: fits that never saw their pairs.

Folds are of prompt groups, so no pair is judged by a rule that saw its prompt. Fits go through the origin: swapping
the two answers of any pair changes nothing. Knows differences and margins; knows no text.
Shapes: N pairs, F features, S seeds, G prompt groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes
from assay.stats.logistic import fit_logistic
from assay.stats.partial_effects import RULE_RIDGE, least_squares
from assay.stats.unknown import Unknown

FOLDS = 5
SAME = 1e-9  # log odds under which the rule says nothing


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
        slopes = least_squares(known, margin_SN[:, others].T)
        foretold[:, held] = (features_NF[held] @ slopes).T
    return foretold
