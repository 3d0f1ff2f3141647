"""Rewards as answers: best of k by hand and as RewardBench 2 counts it, pairs as k = 2, a real scorer, invariances."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.questions.best_of import best_of, best_of_pairs, values_of
from assay.questions.mean_grade import by_subject, mean_grade
from assay.questions.task import Graded, Question, Ties, credit, grade_all
from assay.records import Candidates, Pair
from assay.scorers import Reward, Unscored, open_scorer
from assay.scorers.protocol import score_groups
from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.unknown import Unknown


def group(name: str, *answers: str, category: str | None = None, prompt: str = "May I?") -> Candidates:
    return Candidates(id=name, prompt=prompt, answers=answers, category=category)


FOUR = group("four", "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("rewards", "share", "wrong"),
    [
        ((2, 1, 0, -1), 1, 1),
        ((1, 2, 0, -1), 0, 0),
        ((2, 2, 0, -1), 1 / 2, 0),
        ((2, 2, 2, -1), 1 / 3, 0),
        ((2, 2, 2, 2), 1 / 4, 0),
        ((1, 2, 2, 0), 0, 0),
    ],
)
def test_best_of_four_by_hand(rewards: Sequence[float], share: float, wrong: float) -> None:
    (question,) = best_of("best", [FOUR]).items()
    assert best_of("best", [FOUR]).grade(question, rewards) == share
    assert best_of("best", [FOUR], ties="wrong").grade(question, rewards) == wrong


def test_several_right_by_hand() -> None:
    """The first two are right; three are highest, of which two right: a draw is right in 2 of 3."""
    task = best_of("best", [FOUR], num_correct=2)
    (question,) = task.items()
    assert question.right == (0, 1)
    assert task.grade(question, (3, 3, 3, 0)) == 2 / 3
    assert task.grade(question, (0, 3, 2, 0)) == 1


def test_pairs_are_best_of_two() -> None:
    pairs = [Pair(id="1", prompt="?", chosen="a", rejected="b", category="x")]
    (question,) = best_of_pairs("pairs", pairs).items()
    assert (question.subject, question.choices, question.right) == ("x", ("a", "b"), (0,))
    assert [best_of_pairs("pairs", pairs).grade(question, got) for got in ((1, 0), (0, 1), (0, 0))] == [1, 0, 0.5]
    assert best_of_pairs("pairs", pairs, ties="wrong").grade(question, (0, 0)) == 0


def test_a_scorer_answers_a_suite() -> None:
    """The longest answer is best: right in one of two chat prompts, and in half of a tie."""
    groups = [
        group("1", "long enough", "short", category="chat"),
        group("2", "short", "long enough", category="chat", prompt="Hello"),
        group("3", "equal", "alike", category="safety", prompt="Help"),
    ]
    task = best_of("suite", groups)
    scored = score_groups(open_scorer("baseline:longest"), groups)
    graded = grade_all(task, {one.id: values_of(results) for one, results in scored})
    assert [one.grade for one in graded] == [1.0, 0.0, 0.5]
    assert {subject: found.value for subject, found in by_subject(graded).items()} == {"chat": 0.5, "safety": 0.5}
    assert mean_grade(graded, by="prompt").value == 0.5


def test_an_answer_without_a_reward_is_unknown_and_counted() -> None:
    task = best_of("best", [FOUR, group("two", "a", "b", prompt="Hello")])
    rewards = {"four": values_of([Reward(1.0), Unscored("it shouts"), Reward(0.0), Reward(0.0)]), "two": [1.0, 0.0]}
    found = mean_grade(grade_all(task, rewards), by="prompt")
    assert (found.value, found.n, found.clusters) == (1.0, 1, 1)
    assert found.unknown == {"choice 2 has no value: it shouts": 1}
    assert found.interval == Unknown("all questions share one prompt, so nothing is known about others")
    nothing = mean_grade(grade_all(task, {}), by="subject")
    assert (nothing.value, nothing.interval) == (Unknown("no question has a grade"),) * 2
    assert nothing.unknown == {"not answered": 2}


def test_the_interval_knows_what_questions_share() -> None:
    """Eight questions of two subjects, all right in one and all wrong in the other: two draws, not eight."""
    graded = [
        Graded(Question(id=str(n), subject=s, prompt=str(n), choices=("a", "b"), right=(0,)), float(s == "x"))
        for n, s in enumerate("xxxxyyyy")
    ]
    wide, narrow = mean_grade(graded, by="subject"), mean_grade(graded, by="prompt")
    assert (wide.value, wide.clusters, narrow.clusters) == (0.5, 2, 8)
    expected = cluster_wilson([1, 1, 1, 1, 0, 0, 0, 0], list("xxxxyyyy"))
    assert isinstance(wide.interval, Interval)
    assert isinstance(narrow.interval, Interval)
    assert isinstance(expected, Interval)
    assert (wide.interval.low, wide.interval.high) == (expected.low, expected.high)
    assert wide.interval.method == "Wilson, clustered by subject"
    assert wide.interval.high - wide.interval.low > narrow.interval.high - narrow.interval.low


@pytest.mark.parametrize(
    ("correct", "said"),
    [
        (0, "memory:0: candidates four: no choice is right"),
        (4, "candidates four: every choice is right"),
        (5, "choice 5 is said to be right and there are 4"),
        ([1, 1], "num_correct has 2 numbers for 1 groups"),
    ],
)
def test_a_group_that_cannot_be_graded_is_refused(correct: int | list[int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        best_of("best", [FOUR], num_correct=correct)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="two questions have the id 'four'"):
        best_of("best", [FOUR, FOUR])
    with pytest.raises(InputError, match="pair 1 is a tie"):
        best_of_pairs("pairs", [Pair(id="1", prompt="?", chosen="a", rejected="b", label="tie")])
    with pytest.raises(InputError, match="1 of 1 answers are to no question of best, such as 'six'"):
        grade_all(best_of("best", [FOUR]), {"six": [1.0]})


@st.composite
def questions_answered(draw: st.DrawFn) -> tuple[Question, list[float]]:
    k = draw(st.integers(2, 6))
    right = draw(st.sets(st.integers(0, k - 1), min_size=1, max_size=k - 1))
    values = draw(st.lists(st.integers(-3, 3).map(float), min_size=k, max_size=k))  # few values, so that many tie
    question = Question(id="q", subject="s", prompt="?", choices=tuple("abcdef"[:k]), right=tuple(sorted(right)))
    return question, values


TIES = st.sampled_from(["share", "wrong", "first"])


@given(questions_answered(), TIES, st.integers(-50, 50), st.sampled_from([0.5, 1.0, 8.0]))
def test_only_the_order_of_the_values_counts(
    case: tuple[Question, list[float]], ties: Ties, shift: int, scale: float
) -> None:
    question, values = case
    assert credit([scale * value + shift for value in values], question, ties=ties) == credit(
        values, question, ties=ties
    )
    assert credit([math.exp(value) for value in values], question, ties=ties) == credit(values, question, ties=ties)


@given(questions_answered(), st.sampled_from(["share", "wrong"]), st.randoms())
def test_the_order_of_the_choices_does_not_count(case: tuple[Question, list[float]], ties: Ties, draws: object) -> None:
    question, values = case
    order = list(range(len(values)))
    draws.shuffle(order)  # type: ignore[attr-defined]
    moved = Question(
        id="q",
        subject="s",
        prompt="?",
        choices=tuple(question.choices[place] for place in order),
        right=tuple(new for new, place in enumerate(order) if place in question.right),
    )
    assert credit([values[place] for place in order], moved, ties=ties) == credit(values, question, ties=ties)


@given(questions_answered())
def test_right_and_wrong_share_what_there_is(case: tuple[Question, list[float]]) -> None:
    """With what is wrong called right, a draw among the best is right exactly as often as it was wrong."""
    question, values = case
    others = tuple(place for place in range(len(values)) if place not in question.right)
    turned = Question(id="q", subject="s", prompt="?", choices=question.choices, right=others)
    one, other = credit(values, question, ties="share"), credit(values, turned, ties="share")
    assert isinstance(one, float)
    assert isinstance(other, float)
    assert math.isclose(one + other, 1)
    assert credit(values, question, ties="wrong") <= one  # type: ignore[operator]
