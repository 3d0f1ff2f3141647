"""Adjusted p values: statsmodels agrees, order does not matter, nonsense is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.stats.multiplicity import benjamini_hochberg, holm

METHODS = [(holm, "holm"), (benjamini_hochberg, "fdr_bh")]


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_parity_with_statsmodels_and_no_p_value_falls(p: list[float]) -> None:
    for ours, name in METHODS:
        assert ours(p).tolist() == pytest.approx(multipletests(p, method=name)[1].tolist())
        assert (ours(p) >= np.array(p) - 1e-15).all()


@pytest.mark.parametrize(("ours", "name"), METHODS)
def test_the_order_of_the_tests_does_not_matter(ours, name: str) -> None:
    p = np.random.default_rng(0).random(12)
    order = np.random.default_rng(1).permutation(12)
    assert ours(p[order]) == pytest.approx(ours(p)[order])


def test_one_test_stays_and_none_is_none() -> None:
    for ours, _ in METHODS:
        assert ours([0.2]).tolist() == [0.2]
        assert ours([]).tolist() == []


@pytest.mark.parametrize("bad", [[1.2], [-0.1], [float("nan")], [[0.1, 0.2]]])
def test_what_is_no_p_value_is_refused(bad: object) -> None:
    for ours, _ in METHODS:
        with pytest.raises(ValueError, match="between 0 and 1"):
            ours(bad)


def test_weights_say_who_spends_how_much():
    """Of two tests with a p of .02 the one with four fifths of the error rate is found at 5%, the other is not."""
    assert holm([0.02, 0.9], [4, 1])[0] == pytest.approx(0.025)
    assert holm([0.02, 0.9], [1, 4])[0] == pytest.approx(0.1)
    assert holm([0.02, 0.03, 0.04], [2, 2, 2]) == pytest.approx(holm([0.02, 0.03, 0.04]))
    with pytest.raises(ValueError, match="above 0"):
        holm([0.02, 0.03], [1, 0])


def test_weighted_alarms_go_off_as_seldom_on_nothing():
    p = np.random.default_rng(7).random((4000, 30))
    weights = np.array([5.0, 4.0, 3.0, *[1.0] * 27])
    off = np.mean([(holm(row, weights) <= 0.05).any() for row in p])
    assert 0.035 < off < 0.06
