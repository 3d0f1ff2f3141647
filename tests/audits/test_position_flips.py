"""Flips of a judge: how often a judge of places is named, and a fair one is not, over draws with known shares."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.position_flips import MATTERS, TOLERATED, flips_alarm
from assay.stats.intervals import Array, Codes
from assay.stats.one_sided import FAMILY_ALPHA

PROMPTS = 100


def draws(share: float, *, a_prompt: int, icc: float, times: int, seed: int) -> tuple[Array, Codes]:
    """Flipped or not, (times, N), with `a_prompt` pairs under each prompt that agree as icc says; groups, (N,)."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(PROMPTS), a_prompt)
    # With this chance a pair does as its prompt does, else as it likes: the correlation within prompts is its square.
    follows = random.random((times, groups.size)) < icc**0.5
    own = random.random((times, groups.size)) < share
    shared = (random.random((times, PROMPTS)) < share)[:, groups]
    return np.where(follows, shared, own).astype(np.float64), groups


@pytest.mark.parametrize("icc", [0.0, 0.3])
def test_what_is_tolerated_is_named_by_chance_only(icc: float) -> None:
    flips, groups = draws(TOLERATED, a_prompt=4, icc=icc, times=400, seed=1)
    found = [alarm.p for row in flips if (alarm := flips_alarm(row, groups)) is not None]
    # 5% of 400 is 20, with a standard error of 4.4.
    assert sum(p < 0.05 for p in found) <= 20 + 3 * 4.4


def test_what_matters_is_found_among_thirty() -> None:
    flips, groups = draws(MATTERS, a_prompt=4, icc=0.3, times=100, seed=2)
    alarms = [alarm for row in flips if (alarm := flips_alarm(row, groups)) is not None]
    assert sum(alarm.p < FAMILY_ALPHA for alarm in alarms) >= 95
    assert all(alarm.power is not None and alarm.power > 0.9 for alarm in alarms)


def test_few_pairs_are_no_all_clear() -> None:
    alarm = flips_alarm(np.array([0.0, 1.0, 0.0, 0.0, 1.0]), np.arange(5))
    assert alarm is not None
    assert alarm.power is not None
    assert alarm.power < 0.5  # silence is called too_few
    assert flips_alarm(np.ones(5), np.zeros(5, dtype=np.intp)) is None
    every = flips_alarm(np.ones(40), np.arange(40))
    assert every is not None
    assert (every.strength, every.p < FAMILY_ALPHA) == ("problem", True)
