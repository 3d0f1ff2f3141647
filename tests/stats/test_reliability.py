"""Calibration: by hand, perfect probabilities, and a model that is sure and wrong."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.reliability import expected_calibration_error, reliability

EDGES = (0.5, 0.75, 1.0)


def test_by_hand():
    # bin 1: stated 0.6 and 0.7, outcomes 1 and 0: |0.65 - 0.5| = 0.15. bin 2: stated 0.9 twice, outcomes 1, 1: 0.1.
    error = expected_calibration_error([0.6, 0.7, 0.9, 0.9], [1, 0, 1, 1], edges=EDGES)
    assert error == pytest.approx((2 * 0.15 + 2 * 0.1) / 4)


def test_bins_hold_every_event_ends_included():
    bins = reliability([0.5, 0.75, 1.0], [1, 1, 0], ["a", "b", "c"], edges=EDGES)
    assert [each.n for each in bins] == [1, 2]
    assert bins[1].observed == pytest.approx(0.5)


def test_an_empty_bin_is_unknown():
    bins = reliability([0.9], [1], ["a"], edges=EDGES)
    assert (bins[0].n, bins[0].stated, bins[0].observed) == (0, None, None)


@pytest.mark.parametrize(("shift", "high"), [(0.0, 0.05), (0.2, 0.25)])
def test_an_overconfident_model_is_off_by_its_overconfidence(shift, high):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.5, 0.8, size=4000)
    outcome = (rng.random(4000) < truth).astype(float)
    assert shift - 0.05 < expected_calibration_error(truth + shift, outcome, edges=np.linspace(0.5, 1, 11)) < high
