"""Answers under other prompts: a reward that does not read the prompt is found, one that does is left in peace."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from assay.audits.config import AuditConfig
from assay.audits.part import Given
from assay.audits.prompt_use.partners import NOBODY, partners
from assay.audits.prompt_use.swapped_prompts import swapped_prompts
from assay.audits.rescored import Rescored, Swapped
from assay.audits.scores_table import align
from assay.records import Pair, PairScore
from assay.scorers.protocol import Unscored
from tests.audits.written import fits, noise, probed, right, scorer, written_pairs


def test_partners_are_mutual_of_one_category_and_of_other_groups() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, 201).astype(str)
    categories = rng.choice(["a", "b", "c"], 201).tolist()
    found = partners(groups, categories, seed=3)
    matched = np.flatnonzero(found != NOBODY)
    assert (found[found[matched]] == matched).all()
    assert all(categories[i] == categories[found[i]] and groups[i] != groups[found[i]] for i in matched)
    odd = sum(categories.count(name) % 2 for name in "abc")
    assert len(matched) == 201 - odd
    assert (partners(groups, categories, seed=3) == found).all()
    assert (partners(groups, categories, seed=4) != found).any()


def test_a_group_that_is_most_of_its_category_leaves_its_excess_alone() -> None:
    groups = ["big"] * 7 + ["x", "y"]
    found = partners(groups, ["c"] * 9, seed=0)
    assert (found != NOBODY).sum() == 4
    assert partners(["one"] * 4, ["c"] * 4, seed=0).tolist() == [NOBODY] * 4


def test_figures_of_two_couples_by_hand() -> None:
    """Own rewards 3 over 1 and 2 over 1; under the other prompt the first is turned round, the second is as it was."""
    pairs = [Pair(id=name, prompt=f"ask {name}", chosen="good", rejected="bad") for name in "ab"]
    scores = [PairScore(pair_id="a", chosen=3.0, rejected=1.0), PairScore(pair_id="b", chosen=2.0, rejected=1.0)]
    swapped = Swapped(
        pair_ids=("a", "b"), partners=("b", "a"), chosen=np.array([[0.0, 2.5]]), rejected=np.array([[1.0, 2.0]]),
        unmatched=0,
    )  # fmt: skip
    aligned = align({0: scores}, pairs, ["a", "b"])
    found = {
        one.name: one
        for one in swapped_prompts(
            Given(aligned=aligned, config=AuditConfig(), rescored=Rescored(swapped=swapped))
        ).findings
    }
    assert found["swapped_accuracy"].value == 0.5
    assert found["accuracy_from_prompt"].value == 0.5
    # 3 + 2 under their own prompts against 0 + 2.5 exchanged
    assert found["own_prompt_preferred"].value == 1.0
    shares = [found[f"reward_by_{part}"].value for part in ("prompt", "answer", "both")]
    # Rows 3 1 2.5 2 and 0 1 2 1 (prompts a, b; answers of a, then of b), mean 1.5625: by prompt 2 x 0.5625^2 x 4 =
    # 2.53125 on 1 degree; by answer 2 x (.0625^2 + .5625^2 + .6875^2 + .0625^2) = 1.59375 on 3; all 6.71875 less both
    # = 2.59375 on 3.
    squares = np.array([2.53125, 1.59375 / 3, 2.59375 / 3])
    parts = [max(squares[0] - squares[2], 0) / 4, max(squares[1] - squares[2], 0) / 2, squares[2]]
    assert shares == pytest.approx([part / sum(parts) for part in parts])


def test_a_blind_reward_is_found_and_a_reading_one_is_not() -> None:
    pairs = written_pairs(400)
    blind = probed(lambda _, answer: noise("", answer), pairs, "prompt_swap")
    assert blind.find("accuracy_from_prompt").value == 0.0
    assert blind.find("own_prompt_preferred").value == 0.5
    assert blind.find("own_prompt_preferred").verdict == "problem"
    assert blind.find("reward_by_answer").value == pytest.approx(1.0)
    reads = probed(right, pairs, "prompt_swap")
    assert reads.find("own_prompt_preferred").verdict == "ok"
    assert reads.find("own_prompt_preferred").value > 0.9
    assert abs(reads.find("swapped_accuracy").value - 0.5) < 0.1
    assert reads.find("accuracy_from_prompt").value > 0.3


def test_answers_that_give_the_label_away_are_no_proof_of_blindness() -> None:
    """Accuracy does not fall, since the bad answer is bad under any prompt; but own prompts are preferred."""
    pairs = [replace(pair, rejected="No idea.") for pair in written_pairs(300, label_noise=0.0)]
    found = probed(lambda prompt, answer: right(prompt, answer) + 20 * (answer != "No idea."), pairs, "prompt_swap")
    assert found.find("accuracy_from_prompt").value == 0.0
    assert found.find("own_prompt_preferred").verdict == "ok"
    assert found.find("answer_only_accuracy").value > 0.95


def test_what_a_scorer_does_not_take_is_left_out_and_counted() -> None:
    pairs = written_pairs(60)
    asked = {pair.chosen: pair.prompt for pair in pairs} | {pair.rejected: pair.prompt for pair in pairs}

    def takes(prompt, answers):
        odd = "candle"
        return [
            Unscored("it is about candles") if odd in str(prompt) and asked[answer] != prompt else fits(prompt, answer)
            for answer in answers
        ]

    one = scorer(right)
    one.function = takes
    found = probed(one, pairs, "prompt_swap").find("swapped_accuracy")
    assert found.n + found.detail["pairs_not_swapped"] == 60
    assert 0 < found.n < 60
    assert math.isfinite(found.value)


def test_nothing_can_be_exchanged_and_says_so() -> None:
    found = probed(right, written_pairs(1), "prompt_swap")
    assert "no two pairs" in found.find("own_prompt_preferred").reason


@pytest.mark.slow
@pytest.mark.parametrize("per_prompt", [1, 2])
def test_error_rates(per_prompt: int) -> None:
    """At 1,000 pairs: a blind reward is found in 95%, and a right one in none of the audits beyond 5%."""
    draws, blind, clean = 60, 0, 0
    for seed in range(draws):
        pairs = written_pairs(1000, per_prompt=per_prompt, seed=seed)

        def deaf(_, answer, seed=seed):
            return noise("", answer, seed)

        def reads(prompt, answer, seed=seed):
            return fits(prompt, answer) + noise(prompt, answer, seed)

        blind += probed(deaf, pairs, "prompt_swap").find("own_prompt_preferred").verdict == "problem"
        clean += probed(reads, pairs, "prompt_swap").find("own_prompt_preferred").verdict != "ok"
    assert blind >= 0.95 * draws
    assert clean <= 0.05 * draws
