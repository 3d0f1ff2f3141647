"""What every set of questions is held against. A new kind adds a Case to test_conformance.py and passes all CHECKS."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assay.questions.mean_grade import mean_grade
from assay.questions.task import Answered, Question, Task, grade_all
from assay.records import plain_text
from assay.stats.unknown import Unknown


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of task, made anew at each call."""

    make: Callable[[], Task]


def right_answer(question: Question) -> list[float]:
    """The right choices best, and equal."""
    return [0.0 if place in question.right else -100.0 for place in range(len(question.choices))]


def wrong_answer(question: Question) -> list[float]:
    return [-100.0 if place in question.right else 0.0 for place in range(len(question.choices))]


def ids_are_unique_and_everything_is_said(case: Case) -> None:
    questions = case.make().items()
    assert questions
    assert len({question.id for question in questions}) == len(questions)
    assert all(question.id.strip() and question.subject.strip() for question in questions)
    assert all(plain_text(question.prompt).strip() for question in questions)


def the_right_answer_is_worth_one_and_a_wrong_one_nothing(case: Case) -> None:
    task = case.make()
    for question in task.items():
        assert task.grade(question, right_answer(question)) == 1.0
        assert task.grade(question, wrong_answer(question)) == 0.0


def grades_are_between_nothing_and_one(case: Case) -> None:
    task, draws = case.make(), random.Random(0)
    for question in task.items():
        for _ in range(20):
            grade = task.grade(question, [float(draws.randrange(3)) for _ in question.choices])
            assert isinstance(grade, float)
            assert 0 <= grade <= 1


def an_answer_with_a_gap_is_unknown_with_a_reason(case: Case) -> None:
    task = case.make()
    gaps = (Unknown("too long"), math.nan, math.inf, -math.inf)
    for question in task.items():
        for gap in gaps:
            answered: Answered = [gap, *right_answer(question)[1:]]
            grade = task.grade(question, answered)
            assert isinstance(grade, Unknown)
            assert grade.reason.strip()


def the_order_of_the_questions_changes_no_grade(case: Case) -> None:
    task, draws = case.make(), random.Random(1)
    answered = {one.id: [draws.random() for _ in one.choices] for one in task.items()}
    before = {question.id: task.grade(question, answered[question.id]) for question in task.items()}
    again = {question.id: task.grade(question, answered[question.id]) for question in task.items()[::-1]}
    assert before == again
    graded = grade_all(task, dict(reversed(answered.items())))
    assert {one.question.id: one.grade for one in graded} == before
    for by in ("subject", "prompt"):
        one, other = mean_grade(graded, by=by), mean_grade(graded[::-1], by=by)  # type: ignore[arg-type]
        assert math.isclose(one.value, other.value)  # type: ignore[arg-type]


def a_question_not_answered_is_not_wrong(case: Case) -> None:
    task = case.make()
    first, *rest = task.items()
    found = mean_grade(grade_all(task, {one.id: right_answer(one) for one in rest}), by="prompt")
    assert (found.value, found.n, sum(found.unknown.values())) == (1.0, len(rest), 1)
    assert first.id not in {one.id for one in rest}


def a_subject_has_one_header_and_prompts_do_not_repeat_it(case: Case) -> None:
    headers: dict[str, str] = {}
    for question in case.make().items():
        assert headers.setdefault(question.subject, question.header) is question.header or question.header == ""
        assert question.header == "" or question.header not in plain_text(question.prompt)


def items_are_the_same_each_time(case: Case) -> None:
    task = case.make()
    assert list(task.items()) == list(task.items()) == list(case.make().items())


def it_is_a_task_with_a_name(case: Case) -> None:
    task = case.make()
    assert isinstance(task, Task)
    assert task.name.strip() == task.name != ""


def importing_it_imports_no_torch(case: Case) -> None:
    module = type(case.make()).__module__
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


CHECKS: Mapping[str, Callable[[Case], None]] = {
    check.__name__: check
    for check in (
        ids_are_unique_and_everything_is_said,
        the_right_answer_is_worth_one_and_a_wrong_one_nothing,
        grades_are_between_nothing_and_one,
        an_answer_with_a_gap_is_unknown_with_a_reason,
        the_order_of_the_questions_changes_no_grade,
        a_question_not_answered_is_not_wrong,
        a_subject_has_one_header_and_prompts_do_not_repeat_it,
        items_are_the_same_each_time,
        it_is_a_task_with_a_name,
        importing_it_imports_no_torch,
    )
}
