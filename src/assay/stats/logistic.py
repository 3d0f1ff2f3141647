"""The one logistic regression: maximum likelihood by Newton's method, and how sure its coefficients are.

Scores may be fractions (a tie is half a win and half a loss: quasi-likelihood), a ridge may keep coefficients finite,
and errors may be clustered, since votes on one prompt are alike. Knows numbers and clusters; knows no vote and no pair.
Shapes: N rows, K columns of the design, G clusters. There is no intercept unless the design holds a column of ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from assay.stats.intervals import Array, Names, cluster_codes
from assay.stats.unknown import Unknown

STEPS = 100
SETTLED = 1e-9  # of the gradient, a row


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """coefficients: log odds per unit of each column, (K,). fitted: chance of each row, (N,).

    design, score: as they were given.
    """

    coefficients: Array
    fitted: Array
    design: Array
    score: Array

    @property
    def log_likelihood_N(self) -> Array:
        """Of each row, in nats, without the ridge."""
        return log_likelihood(self.design, self.score, self.coefficients)


def fit_logistic(design_NK: npt.ArrayLike, score_N: npt.ArrayLike, *, ridge: float = 0.0) -> LogisticFit | Unknown:
    """Coefficients under which the scores, in [0, 1], are likeliest.

    ridge: what is taken off the log likelihood for each row and unit of squared coefficient; 0 for none. Unknown where
    the search does not settle, as where one column repeats another. Without a ridge, look first whether some direction
    separates ones from zeros: the likelihood then climbs for ever, and coefficients only say where it gave up.

    >>> fit = fit_logistic([[1.0]] * 4, [1, 1, 1, 0])  # a column of ones: the log odds of three in four
    >>> float(fit.coefficients[0]).__round__(6), float(fit.fitted[0]).__round__(6)
    (1.098612, 0.75)
    >>> fit_logistic([[1.0, 1.0]] * 4, [1, 1, 1, 0])
    Unknown(reason='the logistic model does not settle on these data')
    """
    design, score = np.asarray(design_NK, dtype=np.float64), np.asarray(score_N, dtype=np.float64)
    penalty = ridge * score.size

    def objective(weights: Array) -> float:
        return float(log_likelihood(design, score, weights).sum()) - penalty * float(weights @ weights)

    beta = np.zeros(design.shape[1])
    before = objective(beta)
    for _ in range(STEPS):
        fitted = special.expit(design @ beta)
        gradient = design.T @ (score - fitted) - 2 * penalty * beta
        if np.abs(gradient).max() < SETTLED * score.size:
            return LogisticFit(coefficients=beta, fitted=fitted, design=design, score=score)
        try:
            step = np.linalg.solve(_information(design, fitted) + 2 * penalty * np.eye(beta.size), gradient)
        except np.linalg.LinAlgError:
            break
        # Newton's step can leap past the top where chances are near 0 or 1; halve it until it climbs.
        while (there := objective(beta + step)) < before - 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        beta, before = beta + step, there
    return Unknown("the logistic model does not settle on these data")


def log_likelihood(design: Array, score: Array, beta: Array) -> Array:
    """Of each row, in nats; (N,)."""
    logit = design @ beta
    # y log p + (1 - y) log(1 - p) in one term, also for fractions of y; logaddexp so that no exponential overflows.
    return np.asarray(score * logit - np.logaddexp(0, logit))


def cluster_covariance(fit: LogisticFit, clusters: Names) -> Array:
    """Covariance of the coefficients where rows of one cluster are alike and clusters are not; (K, K).

    The sandwich, bread x meat x bread. The bread is the inverse information: what the covariance would be were the
    model true and the rows independent. The meat asks the data instead: each row pulls the coefficients by
    x (score - fitted), pulls are added up within a cluster, where they may all point one way, and only these sums are
    taken to be independent. With one row a cluster it is White's; times G/(G-1), because few clusters look calmer
    than they are. Source: Liang & Zeger 1986.
    """
    codes = cluster_codes(clusters)
    groups = int(codes.max()) + 1
    bread = np.linalg.inv(_information(fit.design, fit.fitted))
    pull_NK = fit.design * (fit.score - fit.fitted)[:, None]
    pull_GK = np.column_stack([np.bincount(codes, weights=column, minlength=groups) for column in pull_NK.T])
    return np.asarray(groups / (groups - 1) * bread @ (pull_GK.T @ pull_GK) @ bread)


def independent_variance(fit: LogisticFit, groups: int) -> Array:
    """Variances of the coefficients were the rows independent draws of the spread seen; (K,).

    A floor under the sandwich: in few clusters pulls may cancel by luck, and the fit would look exact. Ties vary less
    than yes and no, hence the dispersion; where nothing varies at all, each of `groups` clusters counts as one draw.
    """
    binomial = fit.fitted * (1 - fit.fitted)
    plain = np.diag(np.linalg.inv(_information(fit.design, fit.fitted)))
    # Pearson's: about 1 for plain yes and no, less where many votes are ties.
    dispersion = float((np.square(fit.score - fit.fitted) / binomial).mean())
    return plain * dispersion if dispersion > 0 else plain * fit.score.size / groups


def _information(design: Array, fitted: Array) -> Array:
    return np.asarray((design * (fitted * (1 - fitted))[:, None]).T @ design)
