"""The drop's interval: by hand and published, and how often its bounds are wrong, with subjects that lose unlike."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.intervals import Interval
from assay.stats.paired_difference import paired_drop, tango
from assay.stats.unknown import Unknown

SUBJECTS = 57


def test_published_example() -> None:
    """Airway hyper-responsiveness, 21 children: 1 and 7 changed. Source: Fagerland, Lydersen & Laake 2014, table 5."""
    found = tango(1, 7, 21)
    assert isinstance(found, Interval)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.517, -0.026)


def test_nothing_changed_by_hand() -> None:
    """None of n lost: the share that may be lost unseen is 1 - .05^(1/n), .0198 at 150."""
    found = tango(0, 0, 150, level=0.9)
    assert isinstance(found, Interval)
    assert found.high == pytest.approx(1 - 0.05 ** (1 / 150))
    assert found.low == -found.high


def test_it_turns_round() -> None:
    one, other = tango(12, 5, 80), tango(5, 12, 80)
    assert isinstance(one, Interval)
    assert isinstance(other, Interval)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-6)


def test_subjects_that_lose_unlike_widen_it() -> None:
    """The same 200 losses of 2,000: spread evenly, or all in two of twenty subjects."""
    subjects = np.repeat(np.arange(20), 100)
    before, even, heaped = np.ones(2000), np.ones(2000), np.ones(2000)
    even[::10] = 0
    heaped[:200] = 0
    spread, bunched = paired_drop(before, even, subjects), paired_drop(before, heaped, subjects)
    assert isinstance(spread, Interval)
    assert isinstance(bunched, Interval)
    assert bunched.high - bunched.low > 5 * (spread.high - spread.low)
    assert bunched.high == pytest.approx(0.1 + 1.7291 * np.sqrt((2 * 0.9**2 + 18 * 0.1**2) / 20 / 19), abs=1e-4)


def test_one_subject_and_none() -> None:
    found = paired_drop([1, 1, 0, 1], [1, 0, 0, 1], ["a"] * 4)
    assert isinstance(found, Interval)
    assert "one subject" in found.method
    assert paired_drop([], [], []) == Unknown("no questions that both answered")


def draw(generator: np.random.Generator, *, drop: float, each: int, unlike: float, groups: int = SUBJECTS) -> tuple[
    np.ndarray, np.ndarray, np.ndarray
]:  # fmt: skip
    """Before and after on subjects of unlike size and unlike loss; the mean over all subjects there could be is `drop`.

    unlike: how much a subject's own drop varies about the mean, a standard deviation in shares.
    """
    sizes = generator.integers(each // 2, each * 2, groups)
    subjects = np.repeat(np.arange(groups), sizes)
    lost = 0.08 + drop + generator.normal(0, unlike, groups)  # of all, right before only; gained is 0.08
    lost = np.clip(lost, 0, 0.5)[subjects]
    u = generator.random(subjects.size)
    before = (u < lost) | (u > 0.7)
    after = ((u >= lost) & (u < lost + 0.08)) | (u > 0.7)
    return before.astype(float), after.astype(float), subjects


@pytest.mark.parametrize("unlike", [0.0, 0.03])
def test_bounds_hold_at_the_margin(unlike: float) -> None:
    """A true drop of 2 points is called "within 2 points" in at most 5% of tests, "worse than 2" in as many."""
    generator, draws, margin = np.random.default_rng(11), 1500, 0.02
    within = worse = 0
    for _ in range(draws):
        found = paired_drop(*draw(generator, drop=margin, each=40, unlike=unlike))
        assert isinstance(found, Interval)
        within += found.high < margin
        worse += found.low >= margin
    allowed = 0.05 + 2.3 * np.sqrt(0.05 * 0.95 / draws)
    assert within / draws <= allowed
    assert worse / draws <= allowed


@pytest.mark.slow
@pytest.mark.parametrize(("each", "unlike", "groups"), [(10, 0.0, 57), (100, 0.05, 57), (60, 0.02, 8), (30, 0.04, 4)])
def test_coverage(each: int, unlike: float, groups: int) -> None:
    """Both ends together are wrong in at most 10% of tests, few subjects included, and not in far fewer than that."""
    generator, draws, drop = np.random.default_rng(5), 2000, 0.03
    covered = 0
    for _ in range(draws):
        found = paired_drop(*draw(generator, drop=drop, each=each, unlike=unlike, groups=groups))
        assert isinstance(found, Interval)
        covered += found.low <= drop <= found.high
    assert 0.9 - 2.3 * np.sqrt(0.09 / draws) <= covered / draws <= 0.985


def test_small_tests_of_one_kind_of_loss() -> None:
    """Only losses, 2% of them, few questions: where nothing is lost in the sample no variance could be measured."""
    generator, draws = np.random.default_rng(3), 4000
    for n in (60, 140, 149, 200):
        lost = generator.binomial(n, 0.02, draws)
        ends = {k: tango(int(k), 0, n, level=0.9) for k in set(lost.tolist())}
        wrong = np.mean([isinstance(ends[k], Interval) and ends[k].high < 0.02 for k in lost.tolist()])
        assert wrong <= 0.05 + 2.3 * np.sqrt(0.05 * 0.95 / draws)
