"""Best of n against every draw written out, and the limits: n = 1, n = N, ties, many candidates."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.best_of_n import expected_best, kl_bound, pick_chances, place_weights, powers_of_two
from assay.stats.intervals import Interval, cluster_t

numbers = st.integers(-3, 3).map(float)  # few values, so that ties are common


def by_every_draw(proxy: list[float], value: list[float], n: int) -> float:
    """Mean over all draws of n of the mean value over those with the highest proxy: a tie broken in every way."""
    found = []
    for drawn in combinations(range(len(proxy)), n):
        top = max(proxy[place] for place in drawn)
        best = [value[place] for place in drawn if proxy[place] == top]
        found.append(sum(best) / len(best))
    return sum(found) / len(found)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=7), st.data())
def test_it_is_the_mean_over_every_draw(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(rows)))
    proxy, value = [row[0] for row in rows], [row[1] for row in rows]
    assert expected_best(proxy, value, [n])[0] == pytest.approx(by_every_draw(proxy, value, n), abs=1e-12)
    chances = pick_chances(proxy, n)
    assert chances.sum() == pytest.approx(1)
    assert chances @ np.array(value) == pytest.approx(by_every_draw(proxy, value, n), abs=1e-12)


def test_weights_are_exact_fractions() -> None:
    """C(i-1, n-1) / C(256, n) in whole numbers, from the smallest of 10^-70 on."""
    for n in (1, 2, 16, 100, 255, 256):
        exact = [float(Fraction(math.comb(i - 1, n - 1), math.comb(256, n))) for i in range(1, 257)]
        assert place_weights(256, [n])[0] == pytest.approx(exact, rel=1e-9, abs=0)


def test_many_candidates_neither_overflow_nor_drift() -> None:
    weights = place_weights(20_000, [1, 2, 5_000, 20_000])
    assert np.isfinite(weights).all()
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert weights[0] == pytest.approx(1 / 20_000, rel=1e-9)
    assert weights[3].tolist()[-1] == 1.0


def test_one_is_the_mean_and_all_is_the_best() -> None:
    rng = np.random.default_rng(0)
    proxy, value = rng.normal(size=(2, 5, 30)), rng.normal(size=(5, 30))
    found = expected_best(proxy, value, [1, 30])
    assert found.shape == (2, 5, 2)
    assert found[0, :, 0] == pytest.approx(value.mean(axis=-1))
    best = np.take_along_axis(value, proxy[1].argmax(axis=-1)[:, None], axis=-1)[:, 0]
    assert found[1, :, 1] == pytest.approx(best)


def test_what_is_the_same_for_all_stays_what_it_is() -> None:
    assert expected_best(np.arange(256.0), np.full(256, 0.1), [1, 2, 64, 256]) == pytest.approx(0.1, rel=1e-14)


def test_order_of_candidates_and_bends_of_the_proxy_change_nothing() -> None:
    rng = np.random.default_rng(1)
    proxy, value = rng.integers(0, 5, size=40).astype(float), rng.normal(size=40)
    mixed = rng.permutation(40)
    found = expected_best(proxy, value, [1, 3, 9])
    assert expected_best(np.exp(proxy[mixed]), value[mixed], [1, 3, 9]) == pytest.approx(found)


def test_the_mean_of_the_best_of_n_is_that_of_fresh_draws() -> None:
    """Best of 8 of normals from 64 candidates: 1.4236, the expected highest of 8 (Teichroew 1956)."""
    drawn = np.random.default_rng(2).normal(size=(4000, 64))
    means = expected_best(drawn, drawn, [8])[:, 0]
    assert means.mean() == pytest.approx(1.4236, abs=4 * means.std() / 4000**0.5)


def test_intervals_of_gold_and_of_its_gain_cover_the_expected_best_of_n() -> None:
    """Proxy and gold normal with correlation 0.6, a level for each prompt: gold of the pick at 8 is 0.6 x 1.4236, and
    the gain over a random answer, paired by prompt, is the same."""
    draw = np.random.default_rng(3)
    proxy = draw.normal(size=(1000, 40, 16))
    gold = draw.normal(size=(1000, 40, 1)) + 0.6 * proxy + 0.8 * draw.normal(size=proxy.shape)
    found = expected_best(proxy, gold, [1, 8])
    true, prompts = 0.6 * 1.4236, np.arange(40)
    for value in (found[..., 1], found[..., 1] - found[..., 0]):
        intervals = [cluster_t(row, prompts) for row in value]
        covered = np.mean([one.low <= true <= one.high for one in intervals if isinstance(one, Interval)])
        assert 0.93 <= covered <= 0.97


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="best of"):
        expected_best([1.0, 2.0], [1.0, 2.0], [4])
    with pytest.raises(ValueError, match="best of"):
        place_weights(4, [0])


def test_kl_bound_and_powers() -> None:
    assert kl_bound(2) == pytest.approx(math.log(2) - 0.5)
    assert kl_bound(1) == 0
    assert powers_of_two(256)[-1] == 256
    assert powers_of_two(255)[-1] == 128
    with pytest.raises(ValueError, match="best of"):
        kl_bound(0.5)
