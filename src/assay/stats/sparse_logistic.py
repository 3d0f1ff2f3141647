"""Logistic regression of "the first of two wins" on sparse differences: many columns, a ridge, no intercept.

Beside `logistic`, whose Newton steps need a dense K x K matrix: here K is a vocabulary. Knows numbers only.
Shapes: N rows, K columns, F folds.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse

from assay.stats.draws import stream
from assay.stats.intervals import Array, Names, cluster_codes

STEPS = 200


def fit_differences(difference_NK: sparse.csr_array, *, ridge: float = 1.0) -> Array:
    """Weights (K,) under which each row's first is likeliest to win, by L-BFGS.

    difference_NK: features of the winner less those of the other. ridge: what half the squared weights cost, in nats.

    >>> fit_differences(sparse.csr_array([[1.0, 0.0], [1.0, 0.0]])).round(3).tolist()  # w = 2 sigmoid(-w)
    [0.675, 0.0]
    """
    turned = difference_NK.T.tocsr()

    def loss(weights: Array) -> tuple[float, Array]:
        logit = difference_NK @ weights
        lost = 1 / (1 + np.exp(np.clip(logit, -500, 500)))
        value = float(np.logaddexp(0, -logit).sum() + 0.5 * ridge * weights @ weights)
        return value, np.asarray(ridge * weights - turned @ lost)

    start = np.zeros(difference_NK.shape[1])
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x, dtype=np.float64)


def out_of_fold(
    difference_NK: sparse.csr_array, clusters: Names, *, folds: int = 5, ridge: float = 1.0, seed: int = 0
) -> Array:
    """Log odds (N,) that the first wins, of each row by a fit on the clusters of the other folds."""
    codes = cluster_codes(clusters)
    fold_G = stream(seed, "folds").permutation(int(codes.max()) + 1) % folds
    fold_N = fold_G[codes]
    logit = np.zeros(codes.size)
    for fold in range(folds):
        rest, mine = np.flatnonzero(fold_N != fold), np.flatnonzero(fold_N == fold)
        if rest.size and mine.size:
            logit[mine] = difference_NK[mine] @ fit_differences(difference_NK[rest], ridge=ridge)
    return logit
