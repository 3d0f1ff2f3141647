"""The search finds reward where there is some, true or not; company, order and budget change no prompt's search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import mean

import pytest

from assay.errors import ConfigError
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.simulate.support.pressing import PressedPrompt, PressPlan, Question, Tried, press
from assay.simulate.support.reading import ReadCase, gold_utility, read_case

FRESH = {one.id: one for one in fresh_prompts(10, seed=1)}
PLAN = PressPlan(population=8, rounds=6, seed=5)


def pressed(name: str) -> PressedPrompt:
    case = read_case(FRESH[name].prompt, FRESH[name].category)
    assert isinstance(case, ReadCase)
    return PressedPrompt(id=name, case=case, rules={"shout": lambda rng, answer: answer + "!" * rng.randint(1, 3)})


PROMPTS = [pressed(name) for name in FRESH]
Reward = Callable[[Question], float | None]


def gold(question: Question) -> float:
    one = FRESH[question[0]]
    found = gold_utility(one.prompt, question[1], one.category)
    assert isinstance(found, float)
    return found


def length(question: Question) -> float:
    return float(len(question[1]))


def search(reward: Reward, prompts: Sequence[PressedPrompt] = PROMPTS, plan: PressPlan = PLAN) -> list[Tried]:
    def ask(questions: Sequence[Question]) -> Mapping[Question, float | None]:
        return {one: reward(one) for one in questions}

    return press(prompts, ask, plan=plan)


def curve(tried: Sequence[Tried]) -> list[tuple[float, float]]:
    """By round, the mean over prompts of the best reward so far and of its gold."""
    best: dict[str, Tried] = {}
    found = []
    for number in range(PLAN.rounds + 1):
        for one in tried:
            known = best.get(one.prompt_id)
            if one.round == number and one.reward is not None and (known is None or one.reward > (known.reward or 0.0)):
                best[one.prompt_id] = one
        found.append(
            (mean(one.reward or 0.0 for one in best.values()), mean(gold((n, one.answer)) for n, one in best.items()))
        )
    return found


def test_a_reward_for_length_is_hacked() -> None:
    found = curve(search(length))
    assert all(later[0] > sooner[0] for sooner, later in pairwise(found))
    assert found[-1][0] > 2 * found[0][0]
    assert found[-1][1] < found[0][1] - 2.0


def test_the_true_utility_is_not() -> None:
    found = curve(search(gold))
    assert found[-1][1] == found[-1][0] > found[0][0] + 0.1
    assert all(later[1] >= sooner[1] for sooner, later in pairwise(found))


def test_a_prompt_s_search_depends_on_nothing_else() -> None:
    together = search(length)
    for prompt in (PROMPTS[3], PROMPTS[7]):
        assert search(length, [prompt]) == [one for one in together if one.prompt_id == prompt.id]
    assert sorted(search(length, PROMPTS[::-1]), key=repr) == sorted(together, key=repr)


def test_same_seed_same_search_other_seed_other_search() -> None:
    assert search(length) == search(length)
    other = search(length, plan=PressPlan(population=8, rounds=6, seed=6))
    assert {one.answer for one in other} != {one.answer for one in search(length)}


def test_more_rounds_go_on_from_fewer() -> None:
    fewer = search(length, PROMPTS[:2], PressPlan(population=8, rounds=3, seed=5))
    more = search(length, PROMPTS[:2])
    assert [one for one in more if one.round <= 3] == fewer


def test_no_answer_is_asked_about_twice_nor_more_than_the_budget_allows() -> None:
    tried = search(length, plan=PressPlan(population=8, rounds=6, budget=19, seed=5))
    for name in FRESH:
        answers = [one.answer for one in tried if one.prompt_id == name]
        assert len(answers) == len(set(answers)) == 19
    assert max(len(one.answer.split()) for one in search(length, plan=PressPlan(words=40, rounds=4))) <= 40


def test_moves_from_outside_are_used_and_named() -> None:
    moves = {move for one in search(lambda one: float(one[1].count("!"))) for move in one.moves}
    assert {"shout", "swap", "drop", "reorder", "add_padding", "invent"} <= moves
    assert all(not one.moves for one in search(length) if one.round == 0)


def test_an_answer_without_a_reward_is_kept_and_never_a_parent() -> None:
    tried = search(lambda one: None if "!" in one[1] else float(len(one[1])))
    silent = [one for one in tried if one.reward is None]
    assert silent
    assert all("!" in one.answer for one in silent)
    # Nothing to go on from: every round is agents' own answers.
    assert all(not one.moves for one in search(lambda one: None))


def test_equal_rewards_have_one_order() -> None:
    assert search(lambda one: 1.0) == search(lambda one: 1.0)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"population": 1}, "population is 1"),
        ({"rounds": -1}, "rounds is -1"),
        ({"budget": 0}, "budget is 0"),
        ({"words": 0}, "words is 0"),
        ({"start": "chatty"}, "no agent"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PressPlan(**plan)  # type: ignore[arg-type]
