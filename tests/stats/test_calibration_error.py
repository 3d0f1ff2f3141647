"""The debiased calibration error: no error where there is none, the true one where there is, intervals that hold it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from assay.stats.calibration_error import CalibrationError, calibration_error
from assay.stats.unknown import Unknown


def drawn(n: int, rng: np.random.Generator, *, spread: float, bold: float) -> CalibrationError:
    odds = np.abs(rng.normal(0, spread, n))
    outcome = (rng.random(n) < special.expit(odds)).astype(float)
    found = calibration_error(special.expit(bold * odds), outcome, np.arange(n) // 2)
    assert isinstance(found, CalibrationError)
    return found


def test_by_hand():
    # Two bins of 25: stated .6, true 20 of 25; stated .9, true 20 of 25. Each is off: .2 and .1.
    stated, outcome = np.repeat([0.6, 0.9], 25), np.tile(np.arange(25) < 20, 2).astype(float)
    found = calibration_error(stated, outcome, np.arange(50))
    assert isinstance(found, CalibrationError)
    assert found.squared == pytest.approx((0.2**2 + 0.1**2) / 2)
    # Luck of a bin: .8 x .2 / 25, clustered with 50/49; half of each counts.
    smooth = (20.5 / 26) * (5.5 / 26) / 25
    assert found.luck == pytest.approx(max(0.8 * 0.2 / 25 * 50 / 49, smooth))
    assert found.resolution == pytest.approx(0.3**2 - found.luck)


def test_too_few_have_no_error():
    assert isinstance(calibration_error([0.7] * 30, [1.0] * 30, np.arange(30)), Unknown)
    assert isinstance(calibration_error([0.7] * 300, [1.0] * 300, np.arange(300) % 4), Unknown)


@pytest.mark.parametrize("spread", [2.3, 11.0])
def test_a_calibrated_reward_is_seldom_called_off(spread):
    rng = np.random.default_rng(1)
    found = [drawn(400, rng, spread=spread, bold=1.0) for _ in range(200)]
    assert np.mean([one.interval().low == 0 for one in found]) > 0.93
    assert np.mean([one.chance_above(0.0) < 0.05 for one in found]) < 0.1
    assert np.median([one.error for one in found]) < 0.02  # the plain error is .04 there


def test_the_interval_holds_the_true_error():
    rng = np.random.default_rng(2)
    true = drawn(400_000, rng, spread=2.3, bold=3.0).error
    found = [drawn(1000, rng, spread=2.3, bold=3.0).interval() for _ in range(200)]
    assert np.mean([one.low <= true <= one.high for one in found]) > 0.9
