"""A share among decided items helped by a judge, and the fall from a share of another sample: worked and covering."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.independent_difference import independent_difference
from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.powered_share import PoweredShare, powered_share
from assay.stats.unknown import Unknown


def world(rng: np.random.Generator, *, prompts: int, share: float, judge: float, undecided: float, icc: float = 0.2):
    """One item a prompt group of two: right with chance `share` where decided. Easy items are decided oftener, and on
    the undecided ones the judge finds the reward wrong in four of five, so that leaving them out would mislead."""
    scale = (1 - icc) / icc
    own = rng.beta(share * scale, (1 - share) * scale, prompts)
    codes = np.repeat(np.arange(prompts), 2)
    right = (rng.random(codes.size) < own[codes]).astype(float)
    decided = rng.random(codes.size) >= undecided
    said = np.where(rng.random(codes.size) < judge, right, 1 - right)
    said = np.where(decided, said, (rng.random(codes.size) < 0.2).astype(float))
    return right, decided, said, codes


def sample(rng: np.random.Generator, right, n: int):
    return np.where(np.isin(np.arange(right.size), rng.choice(right.size, n, replace=False)), right, np.nan)


def known(found: PoweredShare | Unknown) -> PoweredShare:
    assert isinstance(found, PoweredShare), found
    return found


def coverage(*, n: int, share: float, judge: float, repeats: int, undecided: float = 0.25) -> tuple[float, float]:
    """Of the share, and of its fall from a held-out sample of 800 whose true share is ten points higher."""
    rng = np.random.default_rng([n, int(100 * share), int(100 * judge)])
    held = fell = 0
    for _ in range(repeats):
        right, decided, said, codes = world(rng, prompts=500, share=share, judge=judge, undecided=undecided)
        found = known(powered_share(sample(rng, right, n), decided, said, codes))
        held += found.interval.low <= share <= found.interval.high
        before, _, _, groups = world(rng, prompts=400, share=share + 0.1, judge=1.0, undecided=0.0)
        static = cluster_wilson(before, groups)
        assert isinstance(static, Interval)
        drop = independent_difference(float(before.mean()), static, found.share, found.interval)
        fell += drop.low <= 0.1 <= drop.high
    return held / repeats, fell / repeats


@pytest.mark.parametrize("judge", [pytest.param(0.9, marks=pytest.mark.slow), 0.3])
def test_share_and_drop_hold_the_truth_with_undecided_items(judge):
    for held in coverage(n=150, share=0.75, judge=judge, repeats=300):
        assert 0.93 - 0.025 <= held <= 0.97 + 0.025


@pytest.mark.slow
@pytest.mark.parametrize("judge", [0.95, 0.7, 0.2])
@pytest.mark.parametrize(("n", "share"), [(60, 0.8), (100, 0.75), (300, 0.75), (300, 0.88)])
def test_coverage_at_size(n, share, judge):
    for held in coverage(n=n, share=share, judge=judge, repeats=800):
        assert 0.93 - 0.012 <= held <= 0.97 + 0.012


def test_leaving_undecided_items_out_would_mislead_and_keeping_them_does_not():
    """The judge's mean is taken over all items; set beside decided ones alone it pulls the share down."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        right, decided, said, codes = world(rng, prompts=400, share=0.8, judge=0.9, undecided=0.3)
        shares.append(known(powered_share(sample(rng, right, 150), decided, said, codes)).share)
    assert abs(np.mean(shares) - 0.8) < 3 * np.std(shares) / np.sqrt(len(shares)) + 0.003


def test_without_help_it_is_wilson_over_decided_items():
    right = np.array([1.0, 1, 0, 1, np.nan, 1])
    decided = np.array([True, True, True, False, True, True])
    codes = np.arange(6)
    found = known(powered_share(right, decided, np.full(6, np.nan), codes))
    assert (found.share, found.decided, found.labelled, found.items) == (0.75, 4, 5, 6)
    assert found.interval == cluster_wilson([1.0, 1, 0, 1], np.arange(4))
    assert (found.weight, found.worth) == (0.0, 1.0)
    assert "of 4 prompts" in found.left_out


def test_a_good_judge_saves_labels_and_nothing_decided_is_unknown():
    rng = np.random.default_rng(3)
    right, decided, said, codes = world(rng, prompts=800, share=0.8, judge=0.95, undecided=0.1)
    found = known(powered_share(sample(rng, right, 200), decided, said, codes))
    assert found.worth > 1.5
    assert found.interval.high - found.interval.low < found.alone.high - found.alone.low
    none = powered_share(right, np.zeros(right.size, dtype=bool), said, codes)
    assert isinstance(none, Unknown)
    assert "decided on none" in none.reason
    nobody = powered_share(np.full(4, np.nan), np.ones(4, dtype=bool), np.ones(4), np.arange(4))
    assert isinstance(nobody, Unknown)


def test_the_difference_by_hand_and_other_levels_refused():
    # 0.9 (0.85 to 0.93) less 0.7 (0.6 to 0.78): down root(0.05^2 + 0.08^2), up root(0.03^2 + 0.1^2).
    one = Interval(low=0.85, high=0.93, level=0.95, method="a")
    other = Interval(low=0.6, high=0.78, level=0.95, method="b")
    found = independent_difference(0.9, one, 0.7, other)
    assert found.low == pytest.approx(0.2 - (0.05**2 + 0.08**2) ** 0.5)
    assert found.high == pytest.approx(0.2 + (0.03**2 + 0.1**2) ** 0.5)
    with pytest.raises(ValueError, match=r"at 0\.95 beside one at 0\.9"):
        independent_difference(0.9, one, 0.7, Interval(low=0.6, high=0.8, level=0.9, method="b"))
