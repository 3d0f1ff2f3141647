"""What of the candidates can be judged: missing gold and rewards are counted, prompts stay the same along the curve."""

from __future__ import annotations

import math

import pytest

from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressed_prompts import pressed_prompts
from assay.stats.unknown import Unknown
from tests.audits.pressure.worlds import group

CONFIG = PressureConfig(largest=8)


def test_answers_without_gold_or_reward_are_left_out_and_counted_by_prompt() -> None:
    """Of five answers the pick (reward 9) has no gold, one has no reward, one has neither: two are left."""
    lost = Unknown("too long")
    one = group("a", [9.0, 1.0, lost, lost, 2.0], [Unknown("no vote"), 0.5, 1.0, Unknown("no vote"), 0.7])
    found = pressed_prompts([one, group("b", [1.0, 2.0], [1.0, 2.0])], CONFIG)
    (row,) = found.left_out
    assert (row.without_gold, row.without_reward, row.left_out, row.answers) == (2, 2, 3, 5)
    assert row.picks_without_gold == 1.0
    assert row.why == "gold: no vote"
    assert found.prompts[0].gold.tolist() == [0.5, 0.7]
    assert found.prompts[0].answers == ("xx", "xxxxx")
    assert found.without_gold == 2


def test_a_reward_that_is_not_finite_is_no_reward() -> None:
    found = pressed_prompts([group("a", [math.nan, 1.0, 2.0], [0.0, 1.0, 2.0])], CONFIG)
    assert found.left_out[0].why == "reward: it is not finite"
    assert found.prompts[0].proxy.tolist() == [[1.0, 2.0]]


def test_an_answer_that_one_seed_did_not_take_is_in_no_seed() -> None:
    both = {0: [1.0, 2.0, 3.0], 1: [3.0, Unknown("too long"), 1.0]}
    found = pressed_prompts([group("a", [], [1.0, 2.0, 3.0], rewards=both)], CONFIG)
    assert found.prompts[0].proxy.tolist() == [[1.0, 3.0], [3.0, 1.0]]


def test_what_the_policy_did_not_give_is_counted() -> None:
    found = pressed_prompts([group("a", [1.0, 2.0], [1.0, 2.0], gave_none={"the answer is empty": 3})], CONFIG)
    assert (found.answers, found.left_out[0].not_given, found.left_out[0].why) == (5, 3, "policy: the answer is empty")


def test_every_n_of_the_curve_is_of_the_same_prompts() -> None:
    """Nineteen prompts of eight and one of three: n goes to 8, the one is set aside; with two of twenty at 4, to 4."""
    many = [group(f"p{n}", [float(k) for k in range(8)], [float(k) for k in range(8)]) for n in range(19)]
    few = group("few", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    found = pressed_prompts([*many, few], CONFIG)
    assert found.ns == (1, 2, 4, 8)
    assert found.set_aside == {"fewer than 8 answers": 1}
    assert len(found.prompts) == 19
    fours = [group(f"f{n}", [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]) for n in range(3)]
    found = pressed_prompts([*many[:17], *fours], CONFIG)
    assert found.ns == (1, 2, 4)
    assert found.too_few == {8: 17}
    assert len(found.prompts) == 20


@pytest.mark.parametrize("gold", [[1.0], [1.0, Unknown("no vote")]])
def test_a_prompt_with_one_answer_is_set_aside(gold: list[float | Unknown]) -> None:
    found = pressed_prompts([group("a", [1.0] * len(gold), gold)], CONFIG)
    assert found.prompts == ()
    assert found.ns == ()
    assert found.set_aside == {"fewer than 2 answers with reward and gold": 1}
