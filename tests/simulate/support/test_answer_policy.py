"""Agents do what their habits say, no more; prompts are apart from training pairs; the same seed, the same answers."""

from __future__ import annotations

from collections import Counter
from statistics import mean

import pytest

from assay.errors import ConfigError
from assay.simulate.random_values import simulation_stream
from assay.simulate.support import CATEGORIES, support
from assay.simulate.support.answer_policy import HABITS, PRESETS, Habits, agent_mix, draw_answer
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.simulate.support.reading import ReadCase, read_case, read_quality
from assay.simulate.support.utility import Quality, utility

PROMPTS = fresh_prompts(150, seed=3)
BARE = {"accuracy": 1.0, "wordiness": 0.0, "courtesy": 0.0, "invention": 0.0, "hedging": 0.0}


def answered(habits: Habits, each: int = 3) -> list[tuple[ReadCase, str, Quality]]:
    found = []
    for one in PROMPTS:
        case = read_case(one.prompt, one.category)
        assert isinstance(case, ReadCase)
        for number in range(each):
            text = draw_answer(simulation_stream(number, one.id), case, habits)
            found.append((case, text, read_quality(case, text)))
    return found


def test_who_makes_no_mistake_and_adds_nothing_is_right_in_everything() -> None:
    for case, text, quality in answered(Habits(**BARE)):
        assert quality.facts_wrong == quality.steps_wrong == quality.extras_invented == quality.words_idle == 0, text
        assert quality.facts_missing == 0
        assert quality.decision == (None if case.ruling is None else "right")
        assert quality.steps_right == len(case.steps)
        assert quality.manners >= 0.9 or case.event is None


def test_who_is_always_wrong_is_right_in_nothing() -> None:
    for case, text, quality in answered(Habits(**BARE | {"accuracy": 0.0})):
        assert quality.facts_right == 0, (case, text)
        assert quality.decision == (None if case.ruling is None else "wrong")
        assert quality.steps_right < 2
        assert quality.facts_wrong >= len(case.asked)


@pytest.mark.parametrize(
    ("habit", "seen"),
    [
        ("wordiness", lambda one: len(one[1].split())),
        ("courtesy", lambda one: len(one[1].split())),
        ("invention", lambda one: one[2].extras_invented),
        ("hedging", lambda one: one[2].facts_missing + (one[2].decision == "hedged")),
        ("accuracy", lambda one: one[2].facts_right - one[2].facts_wrong),
    ],
)
def test_more_of_a_habit_shows_more(habit: str, seen: object) -> None:
    assert callable(seen)
    shown = [mean(map(seen, answered(Habits(**BARE | {habit: level})))) for level in (0.0, 0.5, 1.0)]
    assert shown[0] < shown[1] < shown[2]


def test_habits_cost_what_the_table_says() -> None:
    worth = {name: mean(utility(quality) for *_, quality in answered(habits)) for name, habits in PRESETS.items()}
    assert max(worth, key=worth.__getitem__) == "plain"
    assert worth["inventive"] < worth["wordy"] < worth["courteous"] < worth["plain"]
    assert all(worth[name] < worth["plain"] - 0.2 for name in PRESETS if name != "plain")


def test_a_mixture_is_one_agent_an_answer() -> None:
    mix = agent_mix("wordy=3,inventive=1,courtesy=0")
    assert [weight for weight, _ in mix.agents] == [3.0, 1.0]
    assert {habits.courtesy for _, habits in mix.agents} == {0.0}
    drawn = Counter(mix.draw(simulation_stream(0, str(n))).wordiness for n in range(2_000))
    assert drawn[PRESETS["wordy"].wordiness] / 2_000 == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("chatty", "'chatty' is no agent"),
        ("wordiness", "no habit with a value"),
        ("wordy=lots", "no number"),
        ("wordy=-1", "numbers from 0"),
        ("wordy=0", "one of them above 0"),
        ("plain,hedging=2", "Policy"),
        ("plain,courtesy=2", "from 0 to 1, got 2"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(spec: str, said: str) -> None:
    if spec == "plain,hedging=2":  # the name of an agent as well as of a habit: here it is the agent's weight
        assert [weight for weight, _ in agent_mix(spec).agents] == [1.0, 2.0]
        return
    with pytest.raises(ConfigError, match=said):
        agent_mix(spec)


def test_every_habit_is_described_by_name() -> None:
    assert set(HABITS) == set(BARE)


def test_fresh_prompts_are_apart_from_the_pairs_of_the_same_seed() -> None:
    pairs = {str(row["prompt"]) for row in support(3_000, seed=3).rows}
    assert not pairs & {one.prompt for one in PROMPTS}
    assert Counter(one.category for one in PROMPTS) == dict.fromkeys(CATEGORIES, 30)
    assert len({one.id for one in PROMPTS}) == len(PROMPTS)


def test_prompt_k_is_the_same_however_many_are_drawn() -> None:
    assert fresh_prompts(20, seed=3) == PROMPTS[:20]
    assert not {one.prompt for one in fresh_prompts(20, seed=4)} & {one.prompt for one in PROMPTS}
    with pytest.raises(ConfigError, match="0 fresh prompts"):
        fresh_prompts(0)
