"""Multiple-choice rows -> questions as lm-evaluation-harness asks them, and grades from log-probabilities of choices.

Asked for the letter (mmlu), the options stand in the prompt and " A", " B", ... are scored. Asked for the text
(mmlu_continuation), only the question does, and each option is scored. Solved examples stand in the header, which is
written once a subject. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.errors import InputError
from assay.questions.choice_files import LETTERS, ChoiceRow, read_choices
from assay.questions.task import Answered, Question, Ties, credit, ids_differ
from assay.records import plain_text
from assay.stats.unknown import Unknown

# What is scored: the letter, the option's text, or that text with its log-probability divided by its characters.
Asked = Literal["letter", "text", "text by length"]
SHOTS = 5


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """A Task. answered: the summed log-probability, in nats, of each choice after header and prompt."""

    name: str
    questions: tuple[Question, ...]
    asked: Asked = "letter"
    ties: Ties = "first"

    def items(self) -> Sequence[Question]:
        return self.questions

    def grade(self, question: Question, answered: Answered) -> float | Unknown:
        if self.asked == "text by length" and len(answered) == len(question.choices):
            answered = [
                value if isinstance(value, Unknown) else value / len(plain_text(choice))
                for value, choice in zip(answered, question.choices, strict=True)
            ]
        return credit(answered, question, ties=self.ties)


def multiple_choice(
    path: Path,
    *,
    shots_from: Path | None = None,
    shots: int = SHOTS,
    asked: Asked = "letter",
    ties: Ties = "first",
) -> MultipleChoice:
    """The questions of a file or folder, after the first `shots` rows of their subject in `shots_from`; None: no shots.

    Raises InputError, with file and line, for what is no question, and for a subject with too few examples.
    """
    solved = read_choices(shots_from) if shots_from is not None else None
    told = str(shots_from)
    return choices_task(path.stem, read_choices(path), solved, shots=shots, asked=asked, ties=ties, shots_named=told)


def choices_task(
    name: str,
    rows: Sequence[ChoiceRow],
    solved: Sequence[ChoiceRow] | None,
    *,
    shots: int,
    asked: Asked,
    ties: Ties = "first",
    shots_named: str = "the set",
) -> MultipleChoice:
    """Rows as a task, after the first `shots` rows of their subject among `solved`; None: no shots.

    shots_named: where the solved rows come from, for the error. Raises InputError for a subject with too few.
    """
    by_subject: dict[str, list[ChoiceRow]] = {}
    for row in solved or ():
        by_subject.setdefault(row.subject, []).append(row)
    headers = {}
    for subject in dict.fromkeys(row.subject for row in rows):
        examples = by_subject.get(subject, [])
        if solved is not None and len(examples) < shots:
            raise InputError(
                f"{shots_named} has {len(examples)} solved examples of {subject}; {shots} are asked for. Ask for "
                "fewer, or for none."
            )
        headers[subject] = header(subject, examples[:shots], asked=asked)
    questions = [_question(row, headers[row.subject], asked) for row in rows]
    return MultipleChoice(name, ids_differ(name, questions), asked, ties)


def header(subject: str, examples: Sequence[ChoiceRow], *, asked: Asked = "letter") -> str:
    """What stands before every question of a subject.

    >>> header("high_school_biology", [])
    'The following are multiple choice questions (with answers) about high school biology.\\n\\n'
    """
    kind = "multiple choice questions" if asked == "letter" else "questions"
    parts = [f"The following are {kind} (with answers) about {subject.replace('_', ' ')}."]
    for row in examples:
        choice = LETTERS[row.right[0]] if asked == "letter" else row.options[row.right[0]]
        parts.append(f"{prompt_text(row, asked=asked)} {choice}")
    return "".join(part + "\n\n" for part in parts)


def prompt_text(row: ChoiceRow, *, asked: Asked = "letter") -> str:
    """One question without what stands before it, ending in "Answer:"."""
    if asked != "letter":
        return f"Question: {row.question.strip()}\nAnswer:"
    options = "".join(f"{letter}. {option}\n" for letter, option in zip(LETTERS, row.options, strict=False))
    return f"{row.question.strip()}\n{options}Answer:"


def _question(row: ChoiceRow, before: str, asked: Asked) -> Question:
    return Question(
        id=row.id,
        subject=row.subject,
        header=before,
        prompt=prompt_text(row, asked=asked),
        choices=tuple(LETTERS[: len(row.options)]) if asked == "letter" else row.options,
        right=row.right,
        delimiter=" ",
    )
