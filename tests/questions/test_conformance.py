"""Every kind of task against every check, and tasks with planted defects, which the checks must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from assay.questions.best_of import BestOf, best_of, best_of_pairs
from assay.questions.multiple_choice import Asked, multiple_choice
from assay.questions.task import Answered, Question, Ties, credit
from assay.records import Candidates, Message, Pair
from assay.stats.unknown import Unknown
from tests.questions.conformance import CHECKS, Case
from tests.questions.written import examples

GROUPS = (
    Candidates(id="one", prompt="May I?", answers=("Yes.", "No.", "Never.", "Go."), category="chat"),
    Candidates(id="two", prompt="May I?", answers=("Yes.", "Sure.", "No."), category="chat"),
    Candidates(id="three", prompt=(Message(role="user", content="Hello"),), answers=("Hi.", "Go."), category="safety"),
)
PAIRS = (
    Pair(id="1", prompt="May I?", chosen="Yes.", rejected="No."),
    Pair(id="2", prompt="Hello", chosen="Hi.", rejected="Go.", category="chat"),
)


def mmlu(asked: Asked, ties: Ties = "first") -> Callable[[Path], Case]:
    def made(folder: Path) -> Case:
        questions, shots = examples(folder)
        return Case(make=lambda: multiple_choice(questions, shots_from=shots, shots=2, asked=asked, ties=ties))

    return made


KINDS_HELD: Mapping[str, Callable[[Path], Case]] = {
    "letter": mmlu("letter"),
    "letter, ties shared": mmlu("letter", "share"),
    "text": mmlu("text"),
    "text by length": mmlu("text by length"),
    "best of": lambda _: Case(make=lambda: best_of("best", GROUPS, num_correct=(1, 2, 1))),
    "best of, strictly": lambda _: Case(make=lambda: best_of("best", GROUPS, num_correct=(1, 2, 1), ties="wrong")),
    "pairs": lambda _: Case(make=lambda: best_of_pairs("pairs", PAIRS)),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    return {kind: make(tmp_path_factory.mktemp("case")) for kind, make in KINDS_HELD.items()}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", KINDS_HELD)
def test_every_kind_keeps_the_protocol(kind: str, check: str, cases: Mapping[str, Case]) -> None:
    CHECKS[check](cases[kind])


FAIR = best_of("fair", GROUPS, num_correct=(1, 2, 1))


class Broken(BestOf):
    """A task with one defect."""

    def __init__(
        self,
        items: Callable[[Sequence[Question]], Sequence[Question]] = lambda questions: questions,
        grade: Callable[[Question, Answered], float | Unknown] = lambda one, got: credit(got, one, ties="share"),
        name: str = "broken",
    ) -> None:
        super().__init__(name, FAIR.questions)
        object.__setattr__(self, "changed", (items, grade))

    def items(self) -> Sequence[Question]:
        return self.changed[0](self.questions)  # type: ignore[attr-defined, no-any-return]

    def grade(self, question: Question, answered: Answered) -> float | Unknown:
        return self.changed[1](question, answered)  # type: ignore[attr-defined, no-any-return]


CALLS = count()


def told(answered: Answered) -> list[float]:
    """What is unknown taken for nothing."""
    return [0.0 if isinstance(value, Unknown) or not abs(value) < 1e9 else value for value in answered]


DEFECTS: Mapping[str, Broken] = {
    "ids_are_unique_and_everything_is_said": Broken(items=lambda items: [*items, items[0]]),
    "the_right_answer_is_worth_one_and_a_wrong_one_nothing": Broken(
        grade=lambda question, answered: credit(answered, replace(question, right=(1,)), ties="share")
    ),
    "grades_are_between_nothing_and_one": Broken(grade=lambda question, answered: 1.5),
    "an_answer_with_a_gap_is_unknown_with_a_reason": Broken(
        grade=lambda question, answered: credit(told(answered), question, ties="share")
    ),
    "the_order_of_the_questions_changes_no_grade": Broken(grade=lambda question, answered: next(CALLS) % 7 / 7),
    "a_subject_has_one_header_and_prompts_do_not_repeat_it": Broken(
        items=lambda items: [replace(one, header=f"Shots of {one.id}.") for one in items]
    ),
    "items_are_the_same_each_time": Broken(items=lambda items: [*items[next(CALLS) % 2 :]]),
    "it_is_a_task_with_a_name": Broken(name=" "),
}


@pytest.mark.parametrize("check", DEFECTS)
def test_a_defect_is_found(check: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](Case(make=lambda: DEFECTS[check]))
