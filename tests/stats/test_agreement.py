"""Agreement: Krippendorff's own example, hand arithmetic, sklearn, evalica, and what has no answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.agreement import Alpha, PairAgreement, alpha, observed_agreement, pair_agreement
from assay.stats.intervals import Interval
from assay.stats.unknown import Unknown

NONE = float("nan")
# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": 4 observers, 12 units, missing values.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T


def known(found: Alpha | Unknown) -> Alpha:
    assert isinstance(found, Alpha), found
    return found


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_example(metric: Any, published: float) -> None:
    found = known(alpha(KRIPPENDORFF, metric=metric, resamples=200))
    assert found.value == pytest.approx(published, abs=0.0005)
    assert (found.units, found.labels) == (11, 40)  # unit 12 has one label and is left out
    assert isinstance(found.interval, Interval)
    assert found.interval.low < found.value < found.interval.high <= 1


def test_two_raters_by_hand() -> None:
    # Units aa, aa, ab, bb. Coincidences: aa 4, ab 1 + 1, bb 2; n = 8, n_a = 5, n_b = 3.
    # Observed disagreement 2/8; expected 2 * 5 * 3 / (8 * 7) = 30/56; alpha = 1 - (2/8)/(30/56) = 8/15.
    found = known(alpha([[0, 0], [0, 0], [0, 1], [1, 1]], resamples=50))
    assert found.value == pytest.approx(8 / 15)
    assert found.observed == pytest.approx(6 / 8)


def test_labels_that_may_change_names_by_hand() -> None:
    # Units aa, bb, ab, where a and b are only "its first answer" and "its second". Coincidences off the diagonal: 2 of
    # 6; under both namings three labels of each, so chance gives 2 x 3 x 3 = 18: alpha = 1 - 5 x 2 / 18.
    table = [[0, 0], [1, 1], [0, 1]]
    found = known(alpha(table, exchangeable=(0.0, 1.0), resamples=50))
    assert found.value == pytest.approx(1 - 10 / 18)
    turned = known(alpha([[1, 1], [1, 1], [0, 1]], exchangeable=(0.0, 1.0), resamples=50))
    assert turned == found


def test_votes_by_coin_agree_as_chance_does_under_either_naming() -> None:
    labels = np.random.default_rng(0).integers(0, 2, size=(2000, 3)).astype(float)
    assert known(alpha(labels, exchangeable=(0.0, 1.0), resamples=10)).value == pytest.approx(0.0, abs=0.03)


def test_all_for_the_first_named_is_agreement_where_names_may_change() -> None:
    found = known(
        alpha(
            [
                [0, 0],
                [0, 0],
                [
                    0,
                    0,
                ],
            ],
            exchangeable=(0.0, 1.0),
            resamples=50,
        )
    )
    assert found.value == 1.0
    assert isinstance(found.interval, Interval)
    assert found.interval.low < 1.0  # Wilson's, of three items


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(5))
def test_parity_with_evalica(metric: Any, seed: int) -> None:
    import evalica
    import pandas as pd

    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, size=(30, 5)).astype(float)
    labels[generator.random(labels.shape) < 0.3] = NONE
    theirs = evalica.alpha(pd.DataFrame(labels.T), distance=metric).alpha
    assert known(alpha(labels, metric=metric, resamples=10)).value == pytest.approx(theirs, abs=1e-9)


def test_unanimity_leaves_alpha_undefined() -> None:
    found = alpha(np.ones((20, 3)))
    assert isinstance(found, Unknown)
    assert "same" in found.reason


def test_one_rater_leaves_alpha_undefined() -> None:
    found = alpha([[0], [1], [0]])
    assert isinstance(found, Unknown)
    assert "two people" in found.reason


def test_one_item_has_no_interval() -> None:
    found = known(alpha([[0, 1]]))
    assert isinstance(found.interval, Unknown)


def test_full_agreement_does_not_become_a_point() -> None:
    # 50 items, three labels each, all alike within an item, half of the items each label. Wilson with t, 49 degrees:
    # agreement from 1 / (1 + 2.0096^2 / 50) = 0.9253; chance disagreement 150 * 75 * 2 / 2 / (150 * 149 / 2) = 75/149.
    labels = np.tile(np.arange(50) % 2, (3, 1)).T.astype(float)
    found = known(alpha(labels))
    assert found.value == 1
    assert isinstance(found.interval, Interval)
    assert found.interval.low == pytest.approx(1 - (1 - 0.92527) / (75 / 149), abs=1e-4)
    assert found.interval.high == 1
    plain = observed_agreement(labels)
    assert not isinstance(plain, Unknown)
    assert isinstance(plain[2], Interval)
    assert (plain[2].low, plain[2].high) == (pytest.approx(0.92527, abs=1e-5), 1.0)


def test_items_that_all_disagree_alike_do_not_become_a_point() -> None:
    split = np.array([[0, 1], [1, 0]] * 10, dtype=float)  # two editors who always say the opposite
    for labels in (split, np.column_stack([split, split[:, 0]])):  # and a third: two to one everywhere
        found, plain = known(alpha(labels)), observed_agreement(labels)
        assert not isinstance(plain, Unknown)
        for interval in (found.interval, plain[2]):
            assert isinstance(interval, Interval)
            assert interval.high - interval.low > 0.15


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_order_of_items_raters_and_names_does_not_matter(seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, size=(12, 4)).astype(float)
    shuffled = generator.permutation(generator.permutation(labels).T).T
    renamed = np.array([7.0, 3.0, 5.0])[shuffled.astype(int)]
    first, second = alpha(labels, resamples=10), alpha(renamed, resamples=10)
    if isinstance(first, Unknown):
        assert isinstance(second, Unknown)
    else:
        assert known(second).value == pytest.approx(first.value)


def test_interval_of_alpha_holds_the_truth() -> None:
    # Raters copy the item's label with probability s, else draw one of two at random: pairwise agreement beyond
    # chance is s * s, and so is alpha in the long run.
    generator, s, held = np.random.default_rng(3), 0.7, 0
    for study in range(200):
        truth = generator.integers(0, 2, size=(60, 1))
        labels = np.where(generator.random((60, 3)) < s, truth, generator.integers(0, 2, size=(60, 3)))
        interval = known(alpha(labels, resamples=300, seed=study)).interval
        assert isinstance(interval, Interval)
        held += interval.low <= s * s <= interval.high
    assert 0.91 <= held / 200 <= 0.99


def test_observed_agreement_by_hand() -> None:
    # Units with m labels count m times: (3 labels, 1 of 3 pairs agree), (2 labels, agree): (3 * 1/3 + 2 * 1) / 5.
    found = observed_agreement([[0, 0, 1], [1, 1, NONE], [0, NONE, NONE]], resamples=50)
    assert not isinstance(found, Unknown)
    assert found[0] == pytest.approx(3 / 5)
    assert found[1] == 2


def test_kappa_is_sklearns() -> None:
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 4, size=(2, 80))
    found = pair_agreement(first, second, categories=4)
    assert isinstance(found, PairAgreement)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert found.raw == pytest.approx((first == second).mean())


def test_ac1_by_hand_where_kappa_misleads() -> None:
    # 90 times both say 0, 5 times each differs. Raw 0.9; kappa's chance 0.95^2 + 0.05^2 = 0.905: kappa below 0.
    # AC1: mean shares 0.95, 0.05; chance 2 * 0.95 * 0.05 / 1 = 0.095; (0.9 - 0.095) / 0.905 = 0.8895.
    first, second = [0] * 95 + [1] * 5, [0] * 90 + [1] * 5 + [0] * 5
    found = pair_agreement(first, second, categories=2)
    assert isinstance(found, PairAgreement)
    assert found.kappa == pytest.approx((0.9 - 0.905) / 0.095)
    assert found.ac1 == pytest.approx(0.805 / 0.905)


def test_pairs_without_an_answer() -> None:
    assert isinstance(pair_agreement([0, NONE], [NONE, 1], categories=2), Unknown)
    same = pair_agreement([0, 0], [0, 0], categories=4)
    assert isinstance(same, PairAgreement)
    assert (same.raw, same.kappa, same.ac1) == (1.0, None, 1.0)
    assert same.reason
