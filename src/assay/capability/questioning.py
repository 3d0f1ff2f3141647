"""A language model asked the questions of a task, subject by subject; what it answered before is not asked again.

Knows a model and a task; knows not what the answers are worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.capability.answer_file import AnswerFile, question_key
from assay.errors import TemplateError
from assay.questions.multiple_choice import MultipleChoice, header
from assay.questions.task import Answered, Question
from assay.records import plain_text
from assay.stats.unknown import Unknown

if TYPE_CHECKING:
    from assay.engine.language_model import LanguageModel
    from assay.render.choice_tokens import Asking, ChoiceTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class HowAsked:
    """chat: through the model's chat template. micro_tokens: of one pass; None: what suits the device."""

    chat: bool = False
    micro_tokens: int | None = None
    notify: Callable[[str], None] = lambda _line: None


def ask(model: LanguageModel, task: MultipleChoice, kept: AnswerFile, how: HowAsked) -> Mapping[str, Answered]:
    """Log-probability of every choice, by the question's id; Unknown, with the reason, where it cannot be read whole.

    Raises TemplateError where a chat is asked for and the model has no chat template, or its template refuses one.
    """
    if how.chat and model.tokenizer.chat_template is None:
        raise TemplateError(
            f"{model.name} has no chat template, so a chat cannot be put to it. Ask without --chat, which is how base "
            "models are asked."
        )
    subjects: dict[str, list[Question]] = {}
    for question in task.items():
        subjects.setdefault(question.subject, []).append(question)
    found: dict[str, Answered] = {}
    for number, (subject, questions) in enumerate(subjects.items(), 1):
        before = len(kept.known)
        found |= _subject(model, task, questions, kept, how)
        fresh = len(kept.known) - before
        told = f"{fresh:,} asked" if fresh else "answered before"
        how.notify(f"{model.name}, by {task.asked}: {subject} ({number} of {len(subjects)}), {told}")
    return found


def _subject(
    model: LanguageModel, task: MultipleChoice, questions: Sequence[Question], kept: AnswerFile, how: HowAsked
) -> dict[str, Answered]:
    from assay.engine.choice_logprobs import Choices, choice_logprobs
    from assay.render.choice_tokens import choice_tokens

    chat = model.rules if how.chat else None
    rows = choice_tokens(model.tokenizer, [_asking(one, task) for one in questions], chat=chat)
    found: dict[str, Answered] = {}
    asked: list[tuple[Question, Choices, str]] = []
    for question, row in zip(questions, rows, strict=True):
        if (why := _unread(row, model.most_tokens)) is not None:
            found[question.id] = [Unknown(why)] * len(question.choices)
        else:
            key = question_key(row.context, row.continuations)
            asked.append((question, Choices(row.context, row.continuations), key))
    known = {place for place, (_, _, key) in enumerate(asked) if key in kept.known}
    for members, values in choice_logprobs(
        model.model, [row for _, row, _ in asked], micro_tokens=how.micro_tokens, known=known
    ):
        fresh = {asked[n][2]: (asked[n][0].id, some) for n, some in zip(members, values, strict=True) if n not in known}
        kept.add(fresh)
    return found | {question.id: kept.known[key] for question, _, key in asked}


def _asking(question: Question, task: MultipleChoice) -> Asking:
    from assay.render.choice_tokens import Asking

    about = header(question.subject, (), asked=task.asked)
    if not question.header.startswith(about):
        about = ""
    return Asking(
        about=about,
        shots=question.header[len(about) :],
        question=plain_text(question.prompt),
        choices=tuple(plain_text(choice) for choice in question.choices),
        delimiter=question.delimiter,
    )


def _unread(row: ChoiceTokens, most: int | None) -> str | None:
    """Why a question cannot be put to the model, or None."""
    if not row.context:
        return "nothing stands before its choices, whose first token then has no probability"
    if not all(row.continuations):
        return "a choice makes no token of its own behind its question"
    longest = len(row.context) + max(map(len, row.continuations)) - 1
    if most is not None and longest > most:
        return f"{longest} tokens with its solved examples; the model reads {most}"
    return None
