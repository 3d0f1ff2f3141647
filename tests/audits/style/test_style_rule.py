"""Style-only rules are judged on prompts they did not see, and effects are those of a clustered regression."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.style.style_rule import folds, rule_out_of_fold


def test_no_prompt_is_on_both_sides_and_every_pair_is_judged_once():
    groups = np.repeat(np.arange(30), 3)
    judged = np.zeros(90)
    for others, held in folds(groups, seed=0):
        assert not set(groups[others]) & set(groups[held])
        judged += held
    assert (judged == 1).all()


def test_a_rule_on_noise_is_a_coin_and_a_rule_on_the_cause_is_not():
    rng = np.random.default_rng(0)
    noise, groups = rng.normal(size=(600, 12)), np.arange(600) // 2
    longest = (rng.random(600) < 0.5).astype(float)
    assert rule_out_of_fold(noise, longest, groups, seed=0).right.mean() == pytest.approx(0.5, abs=0.06)
    cause = np.column_stack([np.abs(rng.normal(size=600)) * np.where(rng.random(600) < 0.8, 1, -1), noise])
    assert rule_out_of_fold(cause, longest, groups, seed=0).right.mean() > 0.7


def test_where_length_is_all_there_is_the_length_rule_is_the_one_to_beat():
    rng = np.random.default_rng(2)
    longest = (rng.random(600) < 0.2).astype(float)
    found = rule_out_of_fold(rng.normal(size=(600, 12)), longest, np.arange(600) // 2, seed=0)
    assert (found.right == 1 - longest).all()
