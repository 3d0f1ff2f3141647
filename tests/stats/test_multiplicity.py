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
