"""Length: the planted shortcut is caught on every count, a healthy scorer is not accused, scipy agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.linear_model import LogisticRegression

from assay.audits.pairs.length import (
    length_features,
    length_findings,
    matched,
    ranked_through_origin,
    through_origin,
)
from assay.audits.pairs.length_taken_out import residual_margin
from assay.audits.scores_table import align
from assay.records import Pair, PairScore
from tests.audits.planted import QUICK, audited, by_length, groups_of, healthy, make_pairs, score


def test_correlations_are_scipys_over_both_orders():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 2, 80), np.round(rng.normal(0.5, 3, 80))
    both = (np.r_[first, -first], np.r_[second, -second])
    assert through_origin(first, second) == pytest.approx(scipy_stats.pearsonr(*both).statistic)
    assert ranked_through_origin(first, second) == pytest.approx(scipy_stats.spearmanr(*both).statistic)


def test_the_gain_over_length_is_that_of_logistic_regression_without_intercept():
    """sklearn on the same features, with the sides of half of the pairs swapped: that must change nothing."""
    pairs = make_pairs(300)
    aligned = align({0: healthy(pairs)}, pairs, groups_of(pairs))
    features = length_features(aligned.length)
    margin = aligned.margin[0] / np.sqrt((aligned.margin[0] ** 2).mean())
    sign = np.where(np.arange(300) % 2 == 0, 1.0, -1.0)

    def likelihood(columns: np.ndarray) -> float:
        model = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-8).fit(columns * sign[:, None], sign)
        return float(np.log(model.predict_proba(columns)[:, 1]).mean())

    gain = likelihood(np.column_stack([features, margin])) - likelihood(features) - 0.5 / 300
    found = next(f for f in length_findings(aligned, config=QUICK) if f.name == "gain_over_length")
    assert found.value == pytest.approx(gain, abs=1e-4)  # of the ridge, which sklearn's fit does without


def test_matched_is_a_share_of_the_longer_one():
    assert matched(np.array([[90.0, 100], [89, 100], [5, 5]]), 0.1).tolist() == [True, False, True]


def test_nothing_is_left_of_a_reward_that_is_length():
    features = np.random.default_rng(0).normal(size=(50, 2))
    assert not residual_margin(features @ np.array([2.0, -1.0]), features).any()


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_length_shortcut_is_caught(noise):
    pairs = make_pairs(600, longer_preferred=0.8)
    found = audited(by_length(pairs, noise=noise), pairs)
    assert found.find("accuracy").value > 0.68  # it looks like a fair reward model
    assert found.find("accuracy_beyond_length").verdict != "ok"
    assert found.find("reward_length_correlation").verdict == "problem"
    assert found.find("accuracy_shorter_preferred").verdict == "problem"
    assert found.find("accuracy_without_length").verdict != "ok"
    assert found.find("gain_over_length").verdict != "ok"
    assert found.find("gain_over_length").value == pytest.approx(0, abs=0.005)


def test_a_healthy_scorer_is_not_accused():
    pairs = make_pairs(600, longer_preferred=0.6)
    found = audited(healthy(pairs), pairs)
    names = (
        "accuracy_beyond_length",
        "reward_length_correlation",
        "accuracy_shorter_preferred",
        "accuracy_longer_preferred",
        "accuracy_without_length",
        "gain_over_length",
        "length_matched_accuracy",
    )
    assert {name: found.find(name).verdict for name in names} == dict.fromkeys(names, "ok")
    assert abs(found.find("reward_length_correlation").value) < 0.1


def test_a_reward_of_noise_gains_nothing_on_average():
    pairs = make_pairs(60)
    gains = [
        next(f for f in length_findings(aligned, config=QUICK) if f.name == "gain_over_length").value
        for seed in range(60)
        for aligned in [align({0: healthy(pairs, signal=0.0, seed=seed)}, pairs, groups_of(pairs))]
    ]
    # twice the gain in sample is chi-squared with one degree: mean 1/2 a nat, of which that half is taken off
    assert np.mean(gains) * 60 == pytest.approx(0, abs=0.3)


def test_where_people_prefer_brevity_shortest_wins_is_the_rule_to_beat():
    pairs = make_pairs(600, longer_preferred=0.2)
    shortest = [PairScore(pair_id=s.pair_id, chosen=-s.chosen, rejected=-s.rejected) for s in by_length(pairs)]
    found = audited(shortest, pairs)
    assert found.find("accuracy_beyond_length").verdict == "ok"
    assert found.find("accuracy_beyond_shortest").value == 0
    assert found.find("accuracy_beyond_shortest").verdict == "problem"


@pytest.mark.parametrize("bend", [lambda x: -np.abs(x - 200), lambda x: np.where(x > 150, 2.0, 0.0) + 1e-6 * x, np.log])
def test_length_in_any_shape_is_taken_out(bend):
    pairs = make_pairs(1000, longer_preferred=0.7)
    rng = np.random.default_rng(5)
    bent = score(pairs, lambda pair, side: float(bend(float(len(getattr(pair, side))))) + 1e-9 * float(rng.normal()))
    assert audited(bent, pairs).find("accuracy_without_length").value < 0.58


@pytest.mark.parametrize("bend", [np.exp, lambda x: 1 / (1 + np.exp(-x)), lambda x: x**3])
def test_accuracy_without_length_asks_for_order_only(bend):
    pairs = make_pairs(300)
    scores = healthy(pairs)
    bent = [
        PairScore(pair_id=s.pair_id, chosen=float(bend(s.chosen)), rejected=float(bend(s.rejected))) for s in scores
    ]
    one, other = (audited(each, pairs).find("accuracy_without_length") for each in (scores, bent))
    assert other.value == pytest.approx(one.value, abs=1e-12)


def test_a_right_reward_where_people_like_length_is_not_accused():
    pairs = make_pairs(1000, longer_preferred=0.75)
    rng = np.random.default_rng(2)
    worth = score(
        pairs,
        lambda pair, side: 1.5 * (side == "chosen") + len(getattr(pair, side)) / 200 + float(rng.normal()),
    )
    assert audited(worth, pairs).find("reward_length_correlation").verdict == "ok"


def test_scale_and_shift_of_the_reward_change_no_length_figure():
    pairs = make_pairs(200)
    scores = healthy(pairs)
    moved = [PairScore(pair_id=s.pair_id, chosen=1e4 + 50 * s.chosen, rejected=1e4 + 50 * s.rejected) for s in scores]
    before, after = audited(scores, pairs), audited(moved, pairs)
    for name in ("reward_length_correlation", "gain_over_length", "accuracy_without_length", "separation", "overlap"):
        assert after.find(name).value == pytest.approx(before.find(name).value, abs=1e-4), name


def test_equal_lengths_leave_the_correlation_unknown():
    pairs = [Pair(id=str(i), prompt=f"q{i}", chosen=f"a{i}", rejected=f"b{i}") for i in range(10)]
    found = audited(healthy(pairs), pairs)
    assert found.find("reward_length_correlation").known is None
    assert "equally long" in found.find("reward_length_correlation").reason
    assert found.find("gain_over_length").known is None
    assert found.find("accuracy_shorter_preferred").known is None
