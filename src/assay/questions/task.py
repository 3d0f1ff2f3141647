"""What every set of questions offers: its questions, and what an answer to one is worth.

An answer is one number a choice, the higher the better: a model's log-probability of the choice, or a scorer's reward.
Knows neither models nor scorers, nor how a benchmark is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from assay.errors import InputError
from assay.records import Text, plain_text
from assay.stats.unknown import Unknown

Answered = Sequence[float | Unknown]
# What several equal best choices are worth. share: the chance that one drawn of them is right (RewardBench 2). wrong:
# nothing unless all are right (a strict win). first: what the first of them is (argmax, as lm-evaluation-harness).
Ties = Literal["share", "wrong", "first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One prompt and the choices that answer it, of which those at `right` (places from 0) are right.

    header: what stands before the prompt, the same for a whole subject, so that it is computed once; "" if nothing.
    delimiter: what stands between the prompt and a choice. Raises InputError for a question that cannot be graded.
    """

    id: str
    subject: str
    prompt: Text
    choices: tuple[Text, ...]
    right: tuple[int, ...]
    header: str = ""
    delimiter: str = ""

    def __post_init__(self) -> None:
        if problem := cannot_be_graded(len(self.choices), self.right):
            raise InputError(f"question {self.id}: {problem}.")

    @property
    def continuations(self) -> tuple[str, ...]:
        """What follows header and prompt, one a choice."""
        return tuple(self.delimiter + plain_text(choice) for choice in self.choices)


@runtime_checkable
class Task(Protocol):
    """A set of questions under one name, and how they are graded."""

    @property
    def name(self) -> str: ...

    def items(self) -> Sequence[Question]:
        """The questions, in order; their ids differ."""
        ...

    def grade(self, question: Question, answered: Answered) -> float | Unknown:
        """What this answer is worth, 0 to 1, or why that cannot be said. Raises InputError for what is no answer."""
        ...


@dataclass(frozen=True, slots=True)
class Graded:
    """A question and what its answer is worth."""

    question: Question
    grade: float | Unknown


NOT_ANSWERED = Unknown("not answered")


def cannot_be_graded(choices: int, right: Sequence[int]) -> str | None:
    """Why no answer could be right or wrong, or None.

    >>> cannot_be_graded(4, (0, 2))
    >>> cannot_be_graded(2, (2,))
    'choice 3 is said to be right and there are 2'
    """
    if choices < 2:
        return f"{choices or 'no'} {'choice' if choices == 1 else 'choices'}; a question has at least 2"
    if not right:
        return "no choice is right"
    if wild := [place for place in right if not 0 <= place < choices]:
        return f"choice {wild[0] + 1} is said to be right and there are {choices}"
    if len(set(right)) < len(right):
        return "a choice is said to be right twice"
    return "every choice is right" if len(right) == choices else None


def credit(answered: Answered, question: Question, *, ties: Ties) -> float | Unknown:
    """What the best choices are worth; Unknown where a choice has no finite value.

    >>> question = Question(id="q", subject="s", prompt="?", choices=("a", "b", "c"), right=(1,))
    >>> [credit((0.0, 2.0, 2.0), question, ties=ties) for ties in ("share", "wrong", "first")]
    [0.5, 0.0, 1.0]

    Raises InputError where there is not one value a choice.
    """
    if len(answered) != len(question.choices):
        raise InputError(
            f"question {question.id} has {len(question.choices)} choices and {len(answered)} values were given for "
            "them. Give one a choice, in their order."
        )
    values: list[float] = []
    for place, value in enumerate(answered, 1):
        if isinstance(value, Unknown):
            return Unknown(f"choice {place} has no value: {value.reason}")
        if not math.isfinite(value):
            return Unknown(f"the value of choice {place} is not finite: {float(value)}")
        values.append(value)
    right = [place in question.right for place, value in enumerate(values) if value == max(values)]
    if ties == "first":
        return float(right[0])
    return float(all(right)) if ties == "wrong" else sum(right) / len(right)


def grade_all(task: Task, answered: Mapping[str, Answered]) -> list[Graded]:
    """Every question of the task with its grade, in order; answered: by the question's id.

    A question without an answer is Unknown, never wrong. Raises InputError for answers to questions there are not.
    """
    questions = task.items()
    if strange := answered.keys() - {question.id for question in questions}:
        raise InputError(
            f"{len(strange)} of {len(answered)} answers are to no question of {task.name}, such as "
            f"{min(strange)!r}. Give the answers to the same questions."
        )
    return [Graded(one, task.grade(one, answered[one.id]) if one.id in answered else NOT_ANSWERED) for one in questions]


def ids_differ(name: str, questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions. Raises InputError where two have one id."""
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise InputError(f"{name}: two questions have the id {question.id!r}. Give each its own.")
        seen.add(question.id)
    return tuple(questions)
