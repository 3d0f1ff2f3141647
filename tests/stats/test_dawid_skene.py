"""Readers and rights from votes: by hand, against a plain loop, and in simulation."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.dawid_skene import PRIOR, dawid_skene

TRUE_RATES = (0.95, 0.85, 0.7, 0.55)


def simulated(rng, *, items: int = 600, rates=TRUE_RATES, left: float = 0.0):
    """Every rater votes on every item; the last one takes the left answer besides, with the chance `left`."""
    truth = rng.integers(0, 2, size=items)
    item, rater = (grid.ravel() for grid in np.meshgrid(np.arange(items), np.arange(len(rates)), indexing="ij"))
    place = rng.integers(0, 2, size=item.size)
    says = np.where(rng.random(item.size) < np.asarray(rates)[rater], truth[item], 1 - truth[item])
    drawn = (rater == len(rates) - 1) & (rng.random(item.size) < left)
    # Place 0: the first answer (0) stands left.
    says = np.where(drawn, place, says)
    return truth, item, rater, says, place


def plain_loop(item, rater, says, rounds: int) -> list[float]:
    """The same model without places, written out vote by vote."""
    votes = list(zip(item, rater, says, strict=True))
    items, raters = max(item) + 1, max(rater) + 1
    first = []
    for one in range(items):
        lean = sum({0: 1, 1: -1, 2: 0}[s] for i, _, s in votes if i == one)
        first.append(1 / (1 + np.exp(-lean)))
    for _ in range(rounds):
        count = [[0.0, 0.0, 0.0] for _ in range(raters)]
        for i, r, s in votes:
            for right, chance in ((0, first[i]), (1, 1 - first[i])):
                count[r][2 if s == 2 else int(s != right)] += chance
        pooled = [sum(row[k] for row in count) + 0.01 for k in range(3)]
        pooled = [each / sum(pooled) for each in pooled]
        rate = [[row[k] + PRIOR * pooled[k] for k in range(3)] for row in count]
        rate = [[each / sum(row) for each in row] for row in rate]
        for one in range(items):
            odds = 1.0
            for i, r, s in votes:
                if i == one and s != 2:
                    odds *= rate[r][int(s != 0)] / rate[r][int(s != 1)]
            first[one] = odds / (1 + odds)
    return first


def test_is_what_a_plain_loop_gives():
    item = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    rater = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]
    says = [0, 0, 1, 1, 1, 1, 0, 2, 0, 1, 0]
    found = dawid_skene(item, rater, says)
    assert found.first_I.tolist() == pytest.approx(plain_loop(item, rater, says, found.rounds), abs=1e-9)


def test_evidence_is_the_product_of_the_readers_odds():
    truth, item, rater, says, _ = simulated(np.random.default_rng(0))
    found = dawid_skene(item, rater, says)
    two = found.chance_from(np.array([0, 0]), np.array([0, 3]), np.array([0, 1]), np.array([2, 2]), 1)
    good, weak = found.rate_RW3[0, 2], found.rate_RW3[3, 2]
    odds = (good[0] / good[1]) * (weak[1] / weak[0])
    assert two[0] == pytest.approx(odds / (1 + odds))
    assert ((found.first_I < 0.5) == truth).mean() > 0.95


def test_reliabilities_are_found():
    _, item, rater, says, _ = simulated(np.random.default_rng(1))
    found = dawid_skene(item, rater, says)
    assert found.rate_RW3[:, 2, 0].tolist() == pytest.approx(list(TRUE_RATES), abs=0.05)


def test_who_is_drawn_to_the_left_is_right_where_the_right_answer_stands_there():
    _, item, rater, says, place = simulated(np.random.default_rng(2), rates=(0.9, 0.9, 0.9, 0.8), left=0.5)
    found = dawid_skene(item, rater, says, place)
    # Half of the time left whatever stands there, else right on 80%: .5 + .4 on the left, .4 on the right.
    assert found.rate_RW3[3, :2, 0].tolist() == pytest.approx([0.9, 0.4], abs=0.06)
    assert found.rate_RW3[0, :2, 0].tolist() == pytest.approx([0.9, 0.9], abs=0.04)


def test_which_answer_is_called_first_changes_nothing():
    _, item, rater, says, place = simulated(np.random.default_rng(3), items=100)
    turned = item % 2 == 0
    one = dawid_skene(item, rater, says, place)
    other = dawid_skene(item, rater, np.where(turned, 1 - says, says), np.where(turned, 1 - place, place))
    expected = np.where(np.arange(100) % 2 == 0, 1 - one.first_I, one.first_I)
    assert other.first_I == pytest.approx(expected, abs=1e-4)


def test_votes_are_needed():
    with pytest.raises(ValueError, match="at least one vote"):
        dawid_skene([], [], [])
