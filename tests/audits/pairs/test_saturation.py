"""Saturated is what has no room left between two rewards; a reward that is sure of itself is not."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.pairs.saturation import told_apart
from tests.audits.planted import audited, make_pairs, score

RNG = np.random.default_rng(0)
N = 400
CHOSEN, REJECTED = RNG.normal(8, 6, N), RNG.normal(-3, 6, N)


def test_wide_margins_are_not_saturated():
    for scale in (1.0, 100.0):
        assert told_apart(scale * CHOSEN, scale * REJECTED).all()


def test_behind_a_sigmoid_both_answers_at_one_end_are():
    up, down = (1 / (1 + np.exp(-side)) for side in (CHOSEN, REJECTED))
    both = ((CHOSEN > 6.91) & (REJECTED > 6.91)) | ((CHOSEN < -6.91) & (REJECTED < -6.91))  # logit of 0.999
    assert both.any()
    assert (told_apart(up, down) == ~both).all()


def test_clipped_rewards_and_steps_of_float32_are():
    clipped = [np.clip(side, -5, 5) for side in (CHOSEN, REJECTED)]
    assert (told_apart(*clipped) == ~((CHOSEN >= 5) & (REJECTED >= 5) | (CHOSEN <= -5) & (REJECTED <= -5))).all()
    level = np.full(N, 1e5)
    step = np.spacing(np.float32(1e5))
    steps = np.arange(N) * 10 * step
    assert not told_apart(level + steps + step, level + steps)[1:-1].any()


def test_grades_and_broken_rewards_are_not():
    grades = [np.clip(np.round(side / 3), -2, 2) for side in (CHOSEN, REJECTED)]
    assert told_apart(*grades).all()
    assert told_apart(np.full(N, np.nan), REJECTED).all()


@pytest.mark.parametrize(("server", "verdict"), [(lambda x: x, "ok"), (lambda x: 1 / (1 + np.exp(-5 * x)), "warning")])
def test_the_audit_says_so(server, verdict):
    pairs = make_pairs(N)
    found = audited(
        score(pairs, lambda p, side: float(server((CHOSEN if side == "chosen" else REJECTED)[int(p.id[1:])]))), pairs
    ).find("saturation")
    assert found.verdict == verdict
    assert found.detail["between_0_and_1"] == (verdict != "ok")
