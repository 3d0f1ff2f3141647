"""Outcomes of simulated tests: what is known to be lost is called so, and what cannot be seen is not passed."""

from __future__ import annotations

import numpy as np
import pytest

from assay.capability.config import CapabilityConfig
from assay.capability.graded_table import GradedTable
from assay.capability.lost_ability import WayOutcome, deciding, way_outcome
from assay.capability.outcome_words import outcome_sentence
from assay.questions.task import Question
from assay.stats.unknown import Unknown

CONFIG = CapabilityConfig()


def table(
    *, right: float, drop: float, changed: float = 0.1, each: int = 100, subjects: int = 57, asked: str = "letter",
    seed: int = 0, letters: tuple[float, ...] = (0.25,) * 4,
) -> GradedTable:  # fmt: skip
    """A test in which `right` of the questions are right before and `drop` fewer after."""
    generator = np.random.default_rng(seed)
    n = each * subjects
    places = generator.choice(4, n, p=letters)
    questions = tuple(
        Question(id=str(i), subject=f"s{i % subjects}", prompt="?", choices=("A", "B", "C", "D"), right=(int(place),))
        for i, place in enumerate(places)
    )
    before = generator.random(n) < right
    lose = (changed + drop) / 2 / right
    gain = (changed - drop) / 2 / (1 - right)
    u = generator.random(n)
    after = np.where(before, u >= lose, u < gain)
    return GradedTable(
        asked=asked, questions=questions, after=after.astype(float), before=before.astype(float), left_out={}
    )


@pytest.mark.parametrize(
    ("right", "drop", "outcome"),
    [(0.6, 0.0, "within"), (0.6, 0.06, "worse"), (0.6, 0.02, "underpowered"), (0.25, 0.0, "at_chance")],
)
def test_outcomes(right: float, drop: float, outcome: str) -> None:
    found = way_outcome(table(right=right, drop=drop), CONFIG)
    assert found.outcome == outcome
    assert (found.questions_needed is not None or found.if_nothing_lost is not None) == (outcome == "underpowered")
    assert found.lost + found.gained == pytest.approx(0.1 * 5700, rel=0.2)


def test_one_that_guesses_is_never_passed() -> None:
    """40 tests of a model that guesses, a large test each, nothing lost: none is called within."""
    for seed in range(40):
        assert way_outcome(table(right=0.25, drop=0.0, seed=seed), CONFIG).outcome == "at_chance"


def test_a_model_that_always_says_one_letter_guesses() -> None:
    """D is right in 34% of questions: who always says D is 9 points above drawing, and knows nothing."""
    found = table(right=0.5, drop=0.0, letters=(0.22, 0.22, 0.22, 0.34))
    always = np.array([float(question.right == (3,)) for question in found.questions])
    same = GradedTable(asked="letter", questions=found.questions, after=always, before=always, left_out={})
    by_letter = way_outcome(same, CONFIG)
    assert by_letter.outcome == "at_chance"
    assert by_letter.ability is not None
    assert by_letter.ability.rule == "always D"
    by_text = GradedTable(asked="text by length", questions=found.questions, after=always, before=always, left_out={})
    assert way_outcome(by_text, CONFIG).outcome == "within"  # there is no letter to be partial to


def test_barely_above_guessing_has_less_to_lose_than_the_margin() -> None:
    """26.5% right: above guessing for sure, and unable to lose 2 points of ability."""
    found = way_outcome(table(right=0.265, drop=0.0, each=400), CONFIG)
    assert found.outcome == "at_chance"
    assert found.ability is not None
    assert found.ability.mean > 0.005


def test_worse_is_said_of_one_at_chance_too() -> None:
    """A model that now does worse than guessing has been broken, whatever it could do before."""
    assert way_outcome(table(right=0.27, drop=0.1, changed=0.14), CONFIG).outcome == "worse"


def test_the_number_of_questions_said_to_decide_decides_in_four_of_five() -> None:
    """From one small test, the number is asked for; so many questions are then drawn anew, 60 times."""
    small = way_outcome(table(right=0.6, drop=0.0, each=8, seed=4), CONFIG)
    assert small.outcome == "underpowered"
    assert small.if_nothing_lost is not None
    each = small.if_nothing_lost // 57
    decided = [way_outcome(table(right=0.6, drop=0.0, each=each, seed=seed), CONFIG).outcome for seed in range(60)]
    assert 0.65 <= np.mean([one == "within" for one in decided]) <= 0.97


def test_the_least_favourable_way_decides() -> None:
    good = way_outcome(table(right=0.6, drop=0.0), CONFIG)
    open_ = way_outcome(table(right=0.6, drop=0.02, asked="text by length"), CONFIG)
    guess = way_outcome(table(right=0.25, drop=0.0), CONFIG)
    raw = way_outcome(table(right=0.6, drop=0.06, asked="text"), CONFIG)
    assert deciding([good, open_]) is open_
    assert deciding([guess, raw, open_]) is open_  # raw text takes no part, nor does a way at chance
    assert deciding([guess, raw]) is guess


def test_without_a_model_before_only_ability_is_told() -> None:
    one = table(right=0.6, drop=0.0)
    alone = GradedTable(asked="letter", questions=one.questions, after=one.after, before=None, left_out={})
    found = way_outcome(alone, CONFIG)
    assert (found.outcome, found.drop) == ("alone", None)
    assert outcome_sentence(found, CONFIG).startswith("It can do the test: above guessing: ")


def test_nothing_that_could_be_read() -> None:
    none = GradedTable(
        asked="letter", questions=(), after=np.empty(0), before=np.empty(0), left_out={"q": "2,000 tokens"}
    )
    found = way_outcome(none, CONFIG)
    assert found.outcome == "underpowered"
    assert "2,000 tokens" in found.reason
    assert isinstance(found.after_interval, Unknown)


@pytest.mark.parametrize(
    ("right", "drop", "begins"),
    [
        (0.6, 0.0, "Within 2 points: it lost at most "),
        (0.6, 0.06, "Worse: it lost at least "),
        (0.6, 0.02, "Not decided: a drop of "),
        (0.25, 0.0, "Cannot be told: the model before is not shown to be above guessing"),
    ],
)
def test_the_first_words_are_the_answer(right: float, drop: float, begins: str) -> None:
    found: WayOutcome = way_outcome(table(right=right, drop=drop), CONFIG)
    assert outcome_sentence(found, CONFIG).startswith(begins)
