"""People's labels helped by a judge: the interval holds the truth whatever the judge is, and a good one narrows it."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.intervals import Interval
from assay.stats.prediction_powered import PoweredMean, powered_mean
from assay.stats.unknown import Unknown

NOBODY = np.nan


def drawn(rng: np.random.Generator, *, prompts: int, share: float, judge: float, icc: float = 0.2, size: int = 2):
    """Labels of `size` items a prompt, alike within one; a judge that says the same as people with chance `judge`."""
    scale = (1 - icc) / icc
    own = rng.beta(share * scale, (1 - share) * scale, prompts)
    codes = np.repeat(np.arange(prompts), size)
    people = (rng.random(codes.size) < own[codes]).astype(float)
    return people, np.where(rng.random(codes.size) < judge, people, 1 - people), codes


def asked(rng: np.random.Generator, people, n: int):
    """The labels of `n` items at random, the rest unknown."""
    chosen = rng.choice(people.size, n, replace=False)
    return np.where(np.isin(np.arange(people.size), chosen), people, NOBODY)


def known(found: PoweredMean | Unknown) -> PoweredMean:
    assert isinstance(found, PoweredMean), found
    return found


def coverage(*, n: int, share: float, judge: float, repeats: int, prompts: int = 500) -> float:
    rng = np.random.default_rng([n, int(100 * share), int(100 * judge)])
    held = 0
    for _ in range(repeats):
        people, said, codes = drawn(rng, prompts=prompts, share=share, judge=judge)
        interval = known(powered_mean(asked(rng, people, n), said, codes)).interval
        held += interval.low <= share <= interval.high
    return held / repeats


@pytest.mark.parametrize("judge", [0.9, 0.5, 0.3])  # 0.3 is worse than a coin
def test_the_interval_holds_the_truth_whatever_the_judge(judge):
    assert 0.93 - 0.02 <= coverage(n=120, share=0.8, judge=judge, repeats=400) <= 0.97 + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("judge", [0.95, 0.9, 0.7, 0.5, 0.3, 0.1])
@pytest.mark.parametrize(("n", "share"), [(70, 0.8), (100, 0.8), (100, 0.92), (300, 0.8), (300, 0.92)])
def test_coverage_at_size(n, share, judge):
    assert 0.93 - 0.01 <= coverage(n=n, share=share, judge=judge, repeats=1500) <= 0.97 + 0.01


def test_a_judge_at_its_word_would_be_caught():
    """The judge's own mean, and a labelled share corrected with a fitted but uncrossed weight of one, both miss."""
    rng = np.random.default_rng(0)
    people, said, codes = drawn(rng, prompts=500, share=0.8, judge=0.7)
    found = known(powered_mean(asked(rng, people, 150), said, codes))
    assert abs(said.mean() - 0.8) > 0.1  # the judge is biased
    assert found.interval.low < 0.8 < found.interval.high


def test_a_good_judge_is_worth_labels_and_a_coin_is_not():
    rng = np.random.default_rng(1)
    people, said, codes = drawn(rng, prompts=1000, share=0.8, judge=0.95)
    good = known(powered_mean(asked(rng, people, 200), said, codes))
    assert good.worth > 2
    assert width(good.interval) < 0.75 * width(good.alone)
    coin = known(powered_mean(asked(rng, people, 200), rng.integers(0, 2, people.size), codes))
    assert 0.9 < coin.worth < 1.05
    assert abs(coin.weight) < 0.1


def test_a_judge_who_is_mostly_wrong_is_turned_round():
    rng = np.random.default_rng(2)
    people, said, codes = drawn(rng, prompts=1000, share=0.8, judge=0.05)
    found = known(powered_mean(asked(rng, people, 200), said, codes))
    assert found.weight < -0.5
    assert found.agreement is not None
    assert found.agreement < -0.7
    assert found.worth > 1.5


def test_prompts_are_the_unit():
    """Ten copies of each item under its prompt know no more than one."""
    rng = np.random.default_rng(3)
    people, said, codes = drawn(rng, prompts=600, share=0.8, judge=0.8, size=1)
    human = asked(rng, people, 150)
    once = known(powered_mean(human, said, codes))
    ten = known(powered_mean(np.repeat(human, 10), np.repeat(said, 10), np.repeat(codes, 10)))
    assert width(ten.interval) == pytest.approx(width(once.interval), rel=0.05)


def test_a_judge_that_cannot_help_is_left_out_and_why_is_said():
    rng = np.random.default_rng(4)
    people, said, codes = drawn(rng, prompts=200, share=0.8, judge=0.9)
    for human, judge, why in (
        (asked(rng, people, 30), said, "prompts; below 50"),
        (asked(rng, people, 150), np.full(people.size, 0.7), "the same of every item"),
        (people, said, "every item"),
    ):
        found = known(powered_mean(human, judge, codes))
        assert why in found.left_out
        assert (found.mean, found.interval, found.weight) == (pytest.approx(found.alone_mean), found.alone, 0.0)


def test_an_item_the_judge_could_not_read_still_counts():
    rng = np.random.default_rng(5)
    people, said, codes = drawn(rng, prompts=500, share=0.8, judge=0.9)
    said[rng.random(said.size) < 0.2] = NOBODY
    found = known(powered_mean(asked(rng, people, 150), said, codes))
    assert found.items == 1000
    assert found.interval.low < 0.8 < found.interval.high


def test_without_labels_nothing_is_said():
    assert isinstance(powered_mean([NOBODY] * 3, [1, 0, 1], [0, 1, 2]), Unknown)
    assert isinstance(powered_mean([1, 0, NOBODY], [1, 0, 1], [0, 0, 1]), Unknown)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        powered_mean([2.0, 0.0], [1, 0], [0, 1])


def width(interval: Interval) -> float:
    return interval.high - interval.low
