"""Accuracy and the length rule: arithmetic by hand, ties, categories, seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from assay.audits import audit
from assay.findings.slice import OVERALL
from assay.records import Pair, PairScore
from assay.stats.intervals import Interval, cluster_wilson, wilson_of
from assay.stats.seed_variance import recipe_mean
from tests.audits.planted import QUICK, audited, groups_of, healthy, make_pairs, score

FOUR = [
    Pair(id="a", prompt="1", chosen="long answer", rejected="short", category="x"),
    Pair(id="b", prompt="1", chosen="short", rejected="long answer", category="x"),
    Pair(id="c", prompt="2", chosen="same", rejected="size", category="y"),
    Pair(id="d", prompt="3", chosen="longer", rejected="four", category="y"),
]
SCORES = [  # right, tied, right, wrong
    PairScore(pair_id="a", chosen=2.0, rejected=1.0),
    PairScore(pair_id="b", chosen=1.0, rejected=1.0),
    PairScore(pair_id="c", chosen=0.5, rejected=-0.5),
    PairScore(pair_id="d", chosen=0.0, rejected=0.1),
]


def test_four_pairs_by_hand():
    found = audited(SCORES, FOUR)
    accuracy = found.find("accuracy")
    assert accuracy.value == 2 / 4  # a and c; the tie of b counts as wrong
    assert (accuracy.n, accuracy.detail["ties"], accuracy.detail["clusters"]) == (4, 1, 3)
    baseline = found.find("length_baseline")
    assert baseline.value == (1 + 0 + 0.5 + 1) / 4
    assert baseline.detail["equal_lengths"] == 1
    assert found.find("accuracy_beyond_length").value == 0.5 - 0.625
    assert found.find("accuracy_beyond_shortest").value == 0.5 - 0.375
    assert found.find("tied_pairs").value == 0.25
    assert found.find("accuracy", "category=x").value == 0.5
    assert found.find("length_baseline", "category=y").value == 0.75
    assert found.find("accuracy_shorter_preferred").value == 0.0  # b
    assert found.find("accuracy_longer_preferred").value == 0.5  # a right, d wrong
    assert found.find("length_matched_accuracy").value == 1.0  # c alone
    assert found.find("length_matched_accuracy").n == 1


def test_length_in_tokens_where_given():
    tokens = {"a": (1, 5), "b": (2, 2), "c": (9, 1), "d": (1, 2)}
    found = audited(SCORES, FOUR, tokens=tokens).find("length_baseline_tokens")
    assert found.value == (0 + 0.5 + 1 + 0) / 4
    assert audited(SCORES, FOUR).find("length_baseline_tokens") is None


def test_rewards_that_are_not_finite_are_wrong_and_counted():
    scores = [PairScore(pair_id="a", chosen=math.inf, rejected=0.0), *SCORES[1:3]]
    scores.append(PairScore(pair_id="d", chosen=math.nan, rejected=0.0))
    found = audited(scores, FOUR).find("accuracy")
    assert (found.value, found.detail["not_finite"]) == (0.25, 2)


def test_tied_labels_are_set_aside_and_counted():
    pairs = [*FOUR, Pair(id="t", prompt="9", chosen="u", rejected="v", label="tie")]
    found = audited([*SCORES, PairScore(pair_id="t", chosen=1.0, rejected=0.0)], pairs)
    assert found.pairs == 4
    assert found.find("accuracy").value == 0.5
    assert found.find("accuracy").detail["label_ties_set_aside"] == 1


def test_seeds_are_averaged_per_pair_before_the_interval():
    pairs = make_pairs(120)
    scores = {seed: healthy(pairs, seed=seed) for seed in (3, 1, 2)}
    found = audited(scores, pairs)
    right = np.array([[s.chosen > s.rejected for s in scores[seed]] for seed in (1, 2, 3)], dtype=float)
    by_seed = right.mean(axis=1)
    accuracy, spread = found.find("accuracy"), found.find("seed_spread")
    assert accuracy.value == pytest.approx(by_seed.mean())
    assert accuracy.interval == wilson_of(recipe_mean(right, groups_of(pairs)))
    pairs_alone = cluster_wilson(right.mean(axis=0), groups_of(pairs))
    assert accuracy.interval.high - accuracy.interval.low > pairs_alone.high - pairs_alone.low
    assert [found.find("accuracy", seed=seed).value for seed in (1, 2, 3)] == pytest.approx(by_seed)
    assert spread.value == pytest.approx(by_seed.max() - by_seed.min())
    assert spread.detail["sd"] == pytest.approx(by_seed.std(ddof=1))
    assert [row["accuracy"] for row in found.tables["seeds"]["seeds"]] == pytest.approx(by_seed)


def test_one_seed_has_no_spread():
    found = audited(healthy(make_pairs(40)), make_pairs(40)).find("seed_spread")
    assert found.known is None
    assert "one seed" in found.reason


def test_three_points_among_twenty_pairs_are_too_few_and_no_alarm():
    pairs = make_pairs(40)
    found = audited(healthy(pairs, signal=0.3), pairs)
    assert found.find("accuracy", "category=tone").verdict == "too_few"
    assert found.find("length_matched_accuracy", "category=tone").verdict is None
    assert {f.verdict for f in found.findings if f.alarm is not None} <= {"ok", "too_few"}


def test_a_reward_of_noise_is_a_problem_and_a_fair_one_is_not():
    pairs = make_pairs(1000)
    assert audited(healthy(pairs, signal=0.0), pairs).find("accuracy").verdict == "problem"
    fair = audited(healthy(pairs, signal=0.7), pairs)  # about 69%
    assert fair.find("accuracy").verdict == "ok"


def test_perfect_scores_leave_room_for_doubt():
    pairs = make_pairs(60)
    found = audited(score(pairs, lambda _, side: float(side == "chosen") + np.random.default_rng(0).random()), pairs)
    accuracy, gap = (found.find(name).interval for name in ("accuracy", "category_gap"))
    assert isinstance(accuracy, Interval)
    assert isinstance(gap, Interval)
    assert accuracy.high - accuracy.low > 0.05
    assert gap.high - gap.low > 0.03


def test_without_categories_there_is_no_gap_and_no_slice():
    pairs = [Pair(id=p.id, prompt=p.prompt, chosen=p.chosen, rejected=p.rejected) for p in make_pairs(40)]
    found = audited(healthy(pairs), pairs)
    assert {finding.slice for finding in found.findings} == {OVERALL}
    assert "no categories" in found.find("category_gap").reason


def test_one_prompt_group_has_no_interval_and_says_so():
    pairs = make_pairs(6, per_prompt=6)
    found = audit(healthy(pairs), pairs, groups=groups_of(pairs), config=QUICK).find("accuracy")
    assert found.bounds is None
    assert "one prompt group" in found.reason
