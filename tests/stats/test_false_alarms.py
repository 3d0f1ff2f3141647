"""The threshold that keeps a rate of false alarms: by hand, refused, and kept in simulation for clustered values."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.false_alarms import alarm_threshold, least_groups
from assay.stats.unknown import Unknown


def test_thresholds_by_hand() -> None:
    values, groups = [1.0, 5.0, 2.0, 3.0, 4.0, 9.0], ["a", "a", "b", "b", "c", "c"]
    # above 4: half of a and half of c, (1/2 + 1/2 + 1) / 4 = 0.5; above 3 it is 2/4 + ... = (1/2 + 0 + 1 + 1) / 4
    assert alarm_threshold(values, groups, rate=0.5) == 4.0
    assert alarm_threshold(values, groups, rate=0.26) == 9.0
    # one value a group is the conformal quantile: the ceil((n + 1)(1 - rate))-th of n
    rng = np.random.default_rng(0)
    draws = rng.normal(size=99)
    assert alarm_threshold(draws, np.arange(99), rate=0.1) == np.sort(draws)[90 - 1]


def test_ties_are_no_alarms() -> None:
    assert alarm_threshold([1.0] * 40, np.arange(40), rate=0.05) == 1.0


def test_too_few_groups_keep_no_rate() -> None:
    assert least_groups(0.05) == 19
    assert isinstance(alarm_threshold(np.arange(18.0), np.arange(18), rate=0.05), Unknown)
    assert alarm_threshold(np.arange(19.0), np.arange(19), rate=0.05) == 18.0
    many = alarm_threshold(np.arange(400.0), np.repeat(np.arange(4), 100), rate=0.05)  # 400 answers to four prompts
    assert isinstance(many, Unknown)
    with pytest.raises(ValueError, match="no order"):
        alarm_threshold([1.0, np.nan], ["a", "b"], rate=0.5)


@pytest.mark.parametrize("groups", [25, 80])
def test_the_rate_is_kept_for_new_groups_whatever_their_values_have_in_common(groups: int) -> None:
    rng, rate, sizes = np.random.default_rng(groups), 0.1, np.arange(1, 8)
    found = []
    for _ in range(1500):
        size = rng.choice(sizes, groups + 1)
        shift = rng.standard_t(3, groups + 1)  # most of the spread lies between groups, and its tails are heavy
        values = [shift[place] + 0.5 * rng.normal(size=size[place]) for place in range(groups + 1)]
        known = np.concatenate(values[:-1])
        threshold = alarm_threshold(known, np.repeat(np.arange(groups), size[:-1]), rate=rate)
        assert not isinstance(threshold, Unknown)
        found.append((values[-1] > threshold).mean())
    error = float(np.std(found)) / len(found) ** 0.5
    assert rate - 2 / (groups + 1) - 3 * error < np.mean(found) < rate + 3 * error
