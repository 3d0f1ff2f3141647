"""Tasks before any tool's file, replies after it, and the words people write for a choice. Knows no tool, no database.

A task shows an editor's showing as the study's own page would: prompt and two answers on the sides the sealed plan
gives them, and nothing of systems, items or kinds. Its name, the showing, is random; what it stands for stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.records import Text
from assay.study.safe_html import visible_text
from assay.study.study_records import CHOICES, RATINGS, Choice, Item, Rating, Slot, Study

FIELDS = ("prompt", "left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One showing as a tool shows it."""

    study: str
    showing: str
    prompt: str
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What every task of a study asks."""

    study: str
    title: str
    question: str
    instructions: str
    aspects: tuple[str, ...]
    comments: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer to a task, or one row of a tool's file that holds none (choice None, and why in a word).

    person: who gave it, as the tool names people. texts: prompt, left, right as the file has them, where it does.
    """

    where: str
    study: str | None
    showing: str | None
    choice: Choice | None
    why: str = ""
    detail: str = ""
    person: str | None = None
    comment: str = ""
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    ms: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


def form_of(study: Study) -> Form:
    return Form(
        study=study.id,
        title=study.title,
        question=study.question,
        instructions=str(study.config["instructions"]),
        aspects=study.aspects,
        comments=study.config["comments"] == "on",
    )


def task_of(study: str, slot: Slot, item: Item) -> Task:
    """A showing, with the sides its slot gives."""
    answers = (item.answer_a, item.answer_b) if slot.left == "a" else (item.answer_b, item.answer_a)
    return Task(
        study=study,
        showing=slot.showing,
        prompt=prompt_text(item.prompt),
        left=visible_text(answers[0]),
        right=visible_text(answers[1]),
    )


def prompt_text(prompt: Text) -> str:
    """A prompt as plain text: one turn as it is, several with who speaks."""
    if isinstance(prompt, str):
        return visible_text(prompt)
    if len(prompt) == 1:
        return visible_text(prompt[0].content)
    return visible_text("\n\n".join(f"{turn.role.capitalize()}: {turn.content}" for turn in prompt))


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same but for the white space that spreadsheets and tools change."""
    return one.split() == other.split()


def as_choice(word: object) -> Choice | None:
    """A word people write for a choice; None where it is none of them."""
    spelled = "_".join(str(word).strip().casefold().replace("-", " ").replace("_", " ").split())
    return spelled if spelled in CHOICES else None  # type: ignore[return-value]


def as_rating(word: object) -> Rating | None:
    spelled = str(word).strip().casefold()
    return spelled if spelled in RATINGS else None  # type: ignore[return-value]


def ratings_of(aspects: Sequence[str], said: Callable[[int, str], object]) -> dict[str, Rating]:
    """The ratings a reply gives. said: what stands for an aspect, by its number from 1 and its name."""
    found = {aspect: as_rating(said(number, aspect)) for number, aspect in enumerate(aspects, start=1)}
    return {aspect: rating for aspect, rating in found.items() if rating is not None}


def text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
