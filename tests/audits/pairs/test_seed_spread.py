"""Seeds: a dead one among sound ones is named, seeds alike are not accused."""

from __future__ import annotations

from tests.audits.planted import audited, healthy, make_pairs

PAIRS = make_pairs(1000)


def test_a_dead_seed_is_named():
    scores = {1: healthy(PAIRS, seed=1), 2: healthy(PAIRS, seed=2), 7: healthy(PAIRS, signal=0.0, seed=3)}
    found = audited(scores, PAIRS)
    spread = found.find("seed_spread")
    assert (spread.verdict, spread.detail["dead_seeds"], spread.detail["lowest_seed"]) == ("problem", [7], 7)
    assert found.find("accuracy", seed=7).verdict == "problem"
    assert found.find("accuracy", seed=1).verdict == "ok"
    assert found.find("accuracy", "category=tone", seed=7).verdict is None


def test_a_weak_seed_is_a_warning_and_seeds_alike_are_nothing():
    alike = {seed: healthy(PAIRS, seed=seed) for seed in (1, 2, 3)}
    assert audited(alike, PAIRS).find("seed_spread").verdict == "ok"
    weak = {**alike, 3: healthy(PAIRS, signal=0.5, seed=3)}  # about 64% beside 80%
    spread = audited(weak, PAIRS).find("seed_spread")
    assert (spread.verdict, spread.detail["dead_seeds"]) == ("warning", [])
    dead = {seed: healthy(PAIRS, signal=0.0, seed=seed) for seed in (1, 2, 3)}
    assert audited(dead, PAIRS).find("seed_spread").detail["dead_seeds"] == []  # the accuracy says it of all
