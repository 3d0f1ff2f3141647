"""McNemar: statsmodels agrees on the exact test; the mid-p by hand; neither cries wolf."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar

from assay.stats.paired_tests import mcnemar_exact, mcnemar_mid_p


@given(st.integers(0, 60), st.integers(0, 60))
def test_parity_with_statsmodels(first: int, second: int) -> None:
    ours = mcnemar_exact(first, second)
    if first + second:
        assert ours == pytest.approx(mcnemar([[5, first], [second, 7]], exact=True).pvalue)
    assert ours == pytest.approx(mcnemar_exact(second, first))
    assert 0 < mcnemar_mid_p(first, second) <= ours <= 1


def test_by_hand() -> None:
    # 1 against 5 of 6: 2 (1 + 6) / 64; by half of the outcome seen: 2 (1 + 3) / 64.
    assert mcnemar_exact(1, 5) == pytest.approx(14 / 64)
    assert mcnemar_mid_p(1, 5) == pytest.approx(8 / 64)
    assert mcnemar_exact(0, 0) == mcnemar_mid_p(0, 0) == mcnemar_exact(4, 4) == mcnemar_mid_p(4, 4) == 1


def test_false_alarms_stay_near_the_level_and_the_exact_test_below_it() -> None:
    counts = np.arange(41)
    weight = scipy_stats.binom.pmf(counts, 40, 0.5)
    alarms = {
        test: sum(w for k, w in zip(counts, weight, strict=True) if test(int(k), 40 - int(k)) <= 0.05)
        for test in (mcnemar_exact, mcnemar_mid_p)
    }
    assert alarms[mcnemar_exact] <= 0.05
    assert alarms[mcnemar_exact] <= alarms[mcnemar_mid_p] <= 0.055


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        mcnemar_exact(-1, 2)
