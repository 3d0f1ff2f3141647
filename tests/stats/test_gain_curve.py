"""Fitted curves of gains: the numbers they were drawn from, areas against quadrature, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from assay.stats.best_of_n import kl_bound
from assay.stats.gain_curve import area_between, area_ratio, area_under, curve_at, explained, fit_gains

KL = np.array([kl_bound(2**k) for k in range(9)])


def gains(alpha: float, beta: float) -> np.ndarray:
    d = np.sqrt(KL)
    return np.asarray(d * (alpha - beta * d))


def test_a_curve_of_this_form_is_found_again() -> None:
    fit = fit_gains(np.stack([gains(1.2, 0.3), gains(0.5, -0.1)]), KL)
    assert fit == pytest.approx(np.array([[1.2, 0.3], [0.5, -0.1]]))
    assert explained(gains(1.2, 0.3), fit[0], KL) == pytest.approx(1)
    assert explained(np.zeros(9), np.zeros(2), KL) is None


@pytest.mark.parametrize(
    ("one", "other"), [((1.0, 0.2), (0.8, -0.1)), ((1.0, 0.6), (0.7, 0.1)), ((1.0, 0.2), (1.0, 0.2))]
)
def test_areas_are_those_of_quadrature(one: tuple[float, float], other: tuple[float, float]) -> None:
    """The second couple crosses on the way, at d = 0.6, where the sign of the difference turns."""
    most = float(KL.max())
    first, second = np.array([one]), np.array([other])
    between, _ = integrate.quad(
        lambda kl: abs(float(curve_at(first[0], kl)) - float(curve_at(second[0], kl))), 0, most, points=[0.36]
    )
    assert area_between(first, second, most)[0] == pytest.approx(between, abs=1e-6)
    under, _ = integrate.quad(lambda kl: float(curve_at(first[0], kl)), 0, most)
    assert area_under(first, most)[0] == pytest.approx(under)


def test_the_ratio_is_none_for_equal_curves_and_unknown_where_gold_gains_nothing() -> None:
    assert area_ratio(gains(1, 0.2), gains(1, 0.2), KL) == pytest.approx(0, abs=1e-9)
    assert area_ratio(gains(1, 0.2), 2 * gains(1, 0.2), KL) == pytest.approx(1)
    assert np.isnan(area_ratio(-gains(1, 0.2), gains(1, 0.2), KL))


def test_one_point_is_no_curve() -> None:
    with pytest.raises(ValueError, match="two points"):
        fit_gains(np.array([[0.0, 1.0]]), KL[:2])
