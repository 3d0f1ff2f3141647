"""The ceiling: the closed form of three votes, crowds of known truth, and intervals that hold it."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.noise_ceiling import best_reader, ceiling_of_beta, noise_ceiling
from assay.stats.unknown import Unknown

CROWDS = {
    "any share alike": lambda rng, n: rng.beta(1, 1, n),
    "mostly agreed": lambda rng, n: rng.beta(0.3, 0.3, n),
    "sure or a coin": lambda rng, n: np.where(rng.random(n) < 0.5, 1.0, 0.5),
    "four in five everywhere": lambda rng, n: np.where(rng.random(n) < 0.5, 0.8, 0.2),
}


def voted(rng, crowd, *, items: int, votes: int):
    """Votes for the first and the second answer, two items a prompt that share their share; and the prompts."""
    share = np.repeat(CROWDS[crowd](rng, items // 2), 2)
    first = rng.binomial(votes, share)
    return first, votes - first, np.arange(items) // 2


def truth(crowd, votes: int) -> float:
    share = CROWDS[crowd](np.random.default_rng(99), 400_000)
    return float(best_reader(votes, np.maximum(share, 1 - share)).mean())


def test_the_best_reader_by_hand():
    # Three votes at 80%: .8^3 + 3 x .8^2 x .2 = .896. Four, equal ones set aside: (.8^4 + 4 x .8^3 x .2) / .8464.
    share = np.array([0.8])
    assert best_reader(1, share)[0] == pytest.approx(0.8)
    assert best_reader(3, share)[0] == pytest.approx(0.896)
    assert best_reader(4, share)[0] == pytest.approx(0.8192 / 0.8464)
    assert best_reader(4, share, most_even=2)[0] == pytest.approx(0.8192 + 0.1536 / 2)


def test_three_votes_give_the_closed_form():
    first, second, prompts = voted(np.random.default_rng(0), "any share alike", items=600, votes=3)
    v = float((first * second / 6).mean())  # k (m - k) / (m (m - 1))
    found = noise_ceiling(first, second, prompts)
    assert found.low == pytest.approx(1 - 2 * v, abs=1e-6)
    # With x = q(1 - q) the best reader reaches 1/2 + sqrt(1 - 4x) (1 + 2x) / 2, concave in x: Jensen.
    assert found.high == pytest.approx(0.5 + 0.5 * np.sqrt(1 - 4 * v) * (1 + 2 * v), abs=0.002)
    assert found.disagreement == pytest.approx(2 * v)


@pytest.mark.parametrize("votes", [3, 5, 7])
@pytest.mark.parametrize("crowd", CROWDS)
def test_the_truth_lies_within(crowd, votes):
    found = noise_ceiling(*voted(np.random.default_rng(votes), crowd, items=2000, votes=votes))
    assert found.interval.low <= truth(crowd, votes) <= found.interval.high
    assert found.interval.low <= found.low <= found.high <= found.interval.high


def test_more_votes_identify_more():
    widths = []
    for votes in (3, 5, 7):
        found = noise_ceiling(*voted(np.random.default_rng(1), "any share alike", items=4000, votes=votes))
        widths.append(found.high - found.low)
    assert widths[0] > 0.15
    assert widths[0] > 1.5 * widths[1] > 1.5 * widths[2]


@pytest.mark.parametrize("crowd", CROWDS)
def test_seventy_votes_on_each_item_in_differing_numbers_all_but_give_the_point(crowd):
    """Few items have the same number of votes, and yet each one's own share tells its q."""
    rng = np.random.default_rng(8)
    share = np.repeat(CROWDS[crowd](rng, 500), 2)
    votes = rng.choice(np.arange(55, 81, 2), 1000)  # odd ones: no item is set aside
    first = rng.binomial(votes, share)
    found = noise_ceiling(first, votes - first, np.arange(1000) // 2)
    true = float(np.mean([truth(crowd, number) for number in (55, 67, 79)]))
    assert found.interval.low <= true <= found.interval.high
    assert found.high - found.low < 0.15  # one power of q(1 - q) leaves 0.34 of DICES


def test_the_point_is_right_for_the_crowd_it_names_and_not_for_others():
    # Beta(1, 1): the mean of q(1 - q) is 1/6, and three votes leave 13/16 to the best reader.
    assert ceiling_of_beta(1 / 6, [3]) == pytest.approx(13 / 16, abs=0.002)
    found = noise_ceiling(*voted(np.random.default_rng(2), "sure or a coin", items=4000, votes=3))
    assert found.if_beta - truth("sure or a coin", 3) > 0.08


def test_votes_that_never_differ_leave_a_doubt():
    found = noise_ceiling(np.full(100, 3), np.zeros(100, dtype=int), np.arange(100))
    assert found.low == found.high == pytest.approx(1.0)
    assert 0.9 < found.interval.low < 1.0


def test_equal_votes_that_were_set_aside_and_such_that_were_kept():
    rng = np.random.default_rng(3)
    first, second, prompts = voted(rng, "four in five everywhere", items=4000, votes=4)
    kept = first != second
    aside = noise_ceiling(first[kept], second[kept], prompts[kept])
    assert aside.interval.low <= 0.8192 / 0.8464 <= aside.interval.high
    there = noise_ceiling(first, second, prompts)
    assert there.interval.low <= 0.896 <= there.interval.high


def test_close_votes_that_were_set_aside():
    # Of seven votes, four against three fall under three in five, and no such pair is read. What is left at a share of
    # .8: (P(7) + P(6) + P(5)) / that and its mirror image.
    first, second, prompts = voted(np.random.default_rng(7), "four in five everywhere", items=4000, votes=7)
    kept = np.minimum(first, second) < 3
    found = noise_ceiling(first[kept], second[kept], prompts[kept])
    assert found.interval.low <= 0.851968 / (0.851968 + 0.004672) <= found.interval.high
    assert found.if_beta is None


def test_which_answer_is_first_does_not_matter():
    first, second, prompts = voted(np.random.default_rng(4), "mostly agreed", items=400, votes=5)
    assert noise_ceiling(first, second, prompts) == noise_ceiling(second, first, prompts)


def test_one_or_two_votes_identify_nothing():
    found = noise_ceiling(np.full(100, 2), np.zeros(100, dtype=int), np.arange(100))
    assert isinstance(found, Unknown)
    assert "0 pairs have three votes" in found.reason


def test_one_prompt_says_nothing_of_others():
    first, second, _ = voted(np.random.default_rng(5), "mostly agreed", items=100, votes=3)
    assert "one prompt group" in noise_ceiling(first, second, np.zeros(100)).reason


@pytest.mark.slow
@pytest.mark.parametrize("votes", [3, 5, 7])
@pytest.mark.parametrize("crowd", CROWDS)
def test_coverage(crowd, votes):
    rng, held = np.random.default_rng([6, votes, len(crowd)]), 0
    right = truth(crowd, votes)
    for _ in range(300):
        found = noise_ceiling(*voted(rng, crowd, items=600, votes=votes))
        held += found.interval.low - 1e-9 <= right <= found.interval.high + 1e-9
    # At least: where the bounds are far apart and the truth between them, it is always held.
    assert held / 300 >= 0.95 - 0.026
