"""The logistic fit: statsmodels agrees on coefficients and clustered errors; a hand-made case; what does not settle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from assay.stats.logistic import LogisticFit, cluster_covariance, fit_logistic, independent_variance
from assay.stats.unknown import Unknown


def rows(*, ties: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design with an intercept, scores, clusters of unequal size whose rows are alike."""
    rng = np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, 40, 300))
    x = rng.normal(size=300) + rng.normal(size=40)[cluster]
    chance = 1 / (1 + np.exp(-(0.3 + 0.8 * x + rng.normal(size=40)[cluster])))
    score = (rng.random(300) < chance).astype(float)
    if ties:
        score[::7] = 0.5
    return np.column_stack([np.ones(300), x]), score, cluster


def fitted(design: object, score: object, **more: float) -> LogisticFit:
    found = fit_logistic(design, score, **more)  # type: ignore[arg-type]
    assert isinstance(found, LogisticFit), found
    return found


@pytest.mark.parametrize("ties", [False, True])
def test_parity_with_statsmodels_binomial_glm_and_its_cluster_sandwich(ties: bool) -> None:
    design, score, cluster = rows(ties=ties)
    ours = fitted(design, score)
    model = sm.GLM(score, design, family=sm.families.Binomial())
    plain = model.fit(tol=1e-12, maxiter=100)
    assert ours.coefficients == pytest.approx(plain.params, abs=1e-7)
    theirs = model.fit(
        tol=1e-12, maxiter=100, cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    ).cov_params()
    groups = len(set(cluster))
    assert cluster_covariance(ours, cluster) == pytest.approx(theirs * groups / (groups - 1), rel=1e-5)


def test_the_ridge_is_sklearns() -> None:
    """C of sklearn's is the weight of the likelihood against half the square: 1 / (2 ridge N)."""
    from sklearn.linear_model import LogisticRegression

    design, score, _ = rows(ties=False)
    theirs = LogisticRegression(fit_intercept=False, C=1 / (2 * 0.05 * 300), tol=1e-10).fit(design, score)
    assert fitted(design, score, ridge=0.05).coefficients == pytest.approx(theirs.coef_[0], abs=1e-5)


def test_one_column_by_hand() -> None:
    # Three of four won: log odds log(3), information 4 x 3/16, so the model's variance is 4/3.
    found = fitted([[1.0]] * 4, [1, 1, 1, 0])
    assert found.coefficients[0] == pytest.approx(math.log(3))
    assert found.log_likelihood_N.tolist() == pytest.approx([math.log(0.75)] * 3 + [math.log(0.25)])
    # Each row a cluster: pulls 1/4, 1/4, 1/4, -3/4; sum of squares 12/16; (4/3)^2 x 12/16 x 4/3 = 16/9.
    assert cluster_covariance(found, np.arange(4))[0, 0] == pytest.approx(16 / 9)
    # Two clusters of two: pulls 1/2 and -1/2; (4/3)^2 x 1/2 x 2/1 = 16/9 as well.
    assert cluster_covariance(found, ["a", "a", "b", "b"])[0, 0] == pytest.approx(16 / 9)
    # Pulls that cancel within each cluster leave nothing: hence the floor, 4/3 x (3 x 1/16 + 9/16) / 4 / (3/16).
    assert independent_variance(found, 4)[0] == pytest.approx(4 / 3)


def test_a_ridge_keeps_a_separated_fit_finite() -> None:
    design = np.linspace(0.5, 2, 50)[:, None]
    found = fitted(design, np.ones(50), ridge=1e-4)
    assert 1 < found.coefficients[0] < 100
    # At the top the gradient is naught: what the rows pull equals what the ridge holds.
    assert (design[:, 0] * (1 - found.fitted)).sum() == pytest.approx(2 * 1e-4 * 50 * found.coefficients[0], rel=1e-4)


def test_columns_that_repeat_do_not_settle() -> None:
    assert isinstance(fit_logistic([[1.0, 1.0]] * 4, [1, 1, 1, 0]), Unknown)
