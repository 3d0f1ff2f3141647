"""Accuracy and the length rule: arithmetic by hand, ties, categories, seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay.audits import audit
from assay.findings.slice import OVERALL
from assay.records import Pair, PairScore
from assay.stats.intervals import Interval, cluster_wilson
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
    assert accuracy.interval == cluster_wilson(right.mean(axis=0), groups_of(pairs))
    assert [found.find("accuracy", seed=seed).value for seed in (1, 2, 3)] == pytest.approx(by_seed)
    assert spread.value == pytest.approx(by_seed.max() - by_seed.min())
    assert spread.detail["sd"] == pytest.approx(by_seed.std(ddof=1))
    assert [row["accuracy"] for row in found.tables["seeds"]["seeds"]] == pytest.approx(by_seed)


def test_one_seed_has_no_spread():
    found = audited(healthy(make_pairs(40)), make_pairs(40)).find("seed_spread")
    assert found.known is None
    assert "one seed" in found.reason


def test_a_weak_category_is_named_and_equal_ones_are_not_accused():
    pairs = make_pairs(900)
    sides = {"brevity": 0.0, "refusals": 1.5, "tone": 1.5}
    rng = np.random.default_rng(0)
    weak = score(pairs, lambda p, side: float(rng.normal(sides[p.category] if side == "chosen" else 0.0)))
    gap = audited(weak, pairs).find("category_gap")
    assert (gap.detail["worst"], gap.verdict) == ("brevity", "warning")
    assert gap.interval.low > 0.15
    same = audited(healthy(pairs), pairs).find("category_gap")
    assert same.verdict == "ok"
    assert same.interval.low <= 0 <= same.value


def test_the_gap_allows_for_having_picked_the_extremes():
    # Three categories, each prompt one pair: two independent means, at 1 - 0.05 / 3 for the three possible picks.
    pairs = make_pairs(300, per_prompt=1)
    scores = healthy(pairs)
    right = {
        name: [float(s.chosen > s.rejected) for s, p in zip(scores, pairs, strict=True) if p.category == name]
        for name in ("brevity", "refusals", "tone")
    }
    low, high = sorted(right.values(), key=np.mean)[::2]
    variance = (np.var(low) / 100 + np.var(high) / 100) * 200 / 199
    gap = audited(scores, pairs).find("category_gap")
    half = scipy_stats.t.ppf(1 - 0.05 / 6, 199) * variance**0.5
    assert gap.value == pytest.approx(np.mean(high) - np.mean(low))
    assert gap.interval.low == pytest.approx(gap.value - half)


def test_perfect_scores_leave_room_for_doubt():
    pairs = make_pairs(60)
    found = audited(score(pairs, lambda _, side: float(side == "chosen") + np.random.default_rng(0).random()), pairs)
    for name in ("accuracy", "category_gap"):
        interval = found.find(name).interval
        assert isinstance(interval, Interval)
        assert interval.high - interval.low > 0.05


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


def test_a_gap_to_a_category_of_one_prompt_has_no_interval():
    """Its two pairs say nothing of other prompts: a bound made from the other category's spread would be a guess."""
    pairs = make_pairs(300)
    alone = [Pair(id=f"one-{n}", prompt="one question", chosen="c" * n, rejected="r", category="alone") for n in (2, 3)]
    scores = [*healthy(pairs), *(PairScore(pair_id=p.id, chosen=0.0, rejected=1.0) for p in alone)]
    gap = audited(scores, [*pairs, *alone]).find("category_gap")
    assert (gap.detail["worst"], gap.detail["worst_pairs"], gap.verdict) == ("alone", 2, None)
    assert gap.bounds is None
    assert gap.reason == "all pairs of alone belong to one prompt group, so nothing is known about other prompts"
    assert audited(healthy(pairs), pairs).find("category_gap").bounds is not None
