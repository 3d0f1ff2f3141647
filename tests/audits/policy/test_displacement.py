"""Falling log-probabilities are named when both sides fall beyond chance, and not before."""

from __future__ import annotations

import random

from assay.audits import audit
from assay.audits.part import Evidence
from assay.audits.policy.displacement import Written, policy_part
from assay.records import Pair, PairScore

N = 60


def found(chosen: float, rejected: float, spread: float = 1.0):  # type: ignore[no-untyped-def]
    draw = random.Random(0)
    pairs = [Pair(id=f"p{n}", prompt=f"q{n}", chosen="a b", rejected="c") for n in range(N)]
    changes = {
        seed: {pair.id: (draw.gauss(chosen, spread), draw.gauss(rejected, spread)) for pair in pairs} for seed in (0, 1)
    }
    scores = {
        seed: [PairScore(pair_id=name, chosen=a, rejected=b) for name, (a, b) in of_seed.items()]
        for seed, of_seed in changes.items()
    }
    written = {seed: Written(kl=2.0 + seed, kl_error=0.1, answer_tokens=40.0, answers=16) for seed in (0, 1)}
    behind = [
        {"pair_id": "p1", "ches": 1.0, "normalised": 0.5, "prompt": "q", "chosen": "a b", "rejected": "c"},
    ]
    part = policy_part(changes, written, behind)  # type: ignore[arg-type]
    return audit(scores, pairs, groups=[pair.id for pair in pairs], evidence=Evidence(parts=[part]))


def test_both_sides_that_fall_are_a_named_problem_with_pairs_and_a_way_out() -> None:
    result = found(-3.0, -6.0)
    fall = result.find("likelihood_displacement")
    assert fall is not None
    assert fall.verdict == "problem"
    assert fall.value > 0.9  # gauss(-3, 1/sqrt 2): nearly every pair
    assert fall.detail["pairs_behind"] == ["p1"]
    assert "dpo.drop_ches" in fall.detail["way_out"]
    assert result.tables["policy"]["displaced"]
    change = result.find("chosen_change")
    assert change is not None
    assert change.bounds is not None
    assert change.bounds.low < -3.0 < change.bounds.high


def test_a_fall_within_chance_is_a_warning_and_a_rise_is_none() -> None:
    fall = found(-0.05, -6.0).find("likelihood_displacement")
    assert fall is not None
    assert fall.verdict in {"warning", "ok"}
    rise = found(2.0, -6.0).find("likelihood_displacement")
    assert rise is not None
    assert rise.verdict == "ok"
    assert "way_out" not in rise.detail


def test_kl_and_length_are_means_over_seeds() -> None:
    result = found(1.0, -1.0)
    kl, length = result.find("kl_to_base"), result.find("answer_tokens")
    assert kl is not None
    assert length is not None
    assert (kl.value, kl.n, length.value) == (2.5, 32, 40.0)
    assert kl.bounds is not None
    assert kl.bounds.high - kl.bounds.low == 2 * 1.959963984540054 * 0.1
