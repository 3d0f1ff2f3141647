"""Shift of reward, length and style: by hand, direction named, nothing cried on one population, coverage."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.fit.answer_shift import Side, difference, shift_findings, shift_rows
from assay.audits.fit.config import FitConfig
from assay.stats.unknown import Unknown

CONFIG = FitConfig()
WORDS = ["the", "order", "was", "sent", "to", "you", "and", "we", "will", "look", "at", "it", "again", "tomorrow"]


def side(rng: np.random.Generator, prompts: int, *, longer: int = 0, mark: str = "", by: float = 0.0) -> Side:
    """Four answers a prompt, of 5 to 20 words and `longer` more."""
    texts, rewards = [], []
    for _ in range(prompts):
        shared = rng.normal()
        for _ in range(4):
            texts.append(" ".join(rng.choice(WORDS, rng.integers(5, 20) + longer)) + "." + mark)
            rewards.append(shared + rng.normal() + by)
    return Side(texts=texts, clusters=[str(n // 4) for n in range(4 * prompts)], rewards=np.array(rewards))


def test_the_standardised_difference_by_hand() -> None:
    found = difference(np.array([3.0, 5.0]), np.array([0.0, 2.0]), (np.array([0, 1]), np.array([0, 1])))
    assert found is not None
    assert found.value == pytest.approx(3.0)  # (4 - 1) / 1
    assert difference(np.ones(3), np.ones(3), (np.arange(3), np.arange(3))) is None


def test_what_shifted_is_found_and_named() -> None:
    rng = np.random.default_rng(0)
    pairs, samples = side(rng, 100), side(rng, 60, longer=12, mark=" Great!", by=2.0)
    rows = {row.attribute: row for row in shift_rows(samples, pairs, pairs, CONFIG)}
    assert rows["characters"].direction == "longer"
    assert rows["reward"].direction == "higher"
    assert rows["exclamation marks"].direction == "more"
    told = {one.name: one for one in shift_findings(list(rows.values()), samples, pairs)}
    assert told["reward_shift"].known == pytest.approx(2 / 2**0.5, abs=0.4)
    assert told["length_shift"].detail["direction"] == "longer"
    assert told["style_shift"].detail["attribute"] in ("exclamation marks", "reading level")
    assert rows["characters"].p_holm < 1e-6


def test_one_population_is_no_shift_whatever_is_looked_at() -> None:
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pairs = side(rng, 40)
        alarms += any(row.p_holm <= 0.05 for row in shift_rows(side(rng, 30), pairs, pairs, CONFIG))
    assert alarms <= 8  # of 60 at 5%: more than 8 has a chance of 1%


def test_without_rewards_of_the_pairs_the_rest_is_compared() -> None:
    rng = np.random.default_rng(0)
    pairs = side(rng, 20)
    bare = Side(texts=(), clusters=(), rewards=Unknown("a server that was not asked"))
    rows = shift_rows(side(rng, 20), pairs, bare, CONFIG)
    told = {one.name: one for one in shift_findings(rows, pairs, bare)}
    assert told["reward_shift"].reason == "a server that was not asked"
    assert told["length_shift"].known is not None


@pytest.mark.slow
def test_the_interval_covers() -> None:
    hits = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        here, there = (rng.normal(size=(60, 1)) + rng.normal(size=(60, 4)) for _ in range(2))
        groups = np.repeat(np.arange(60), 4)
        found = difference((here + 2 * 2**0.5).ravel(), there.ravel(), (groups, groups))
        assert found is not None
        bounds = found.interval(0.95)
        assert not isinstance(bounds, Unknown)
        hits += bounds.low <= 2 <= bounds.high
    assert 0.92 * 400 <= hits <= 0.98 * 400, hits
