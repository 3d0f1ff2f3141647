"""Prompt and answers of a row, by the words of a layout. Compiled once, called for every row; knows no verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assay.data.layouts.candidate_rows import TEXT_KEYS, listed
from assay.data.layouts.labels import first
from assay.data.layouts.mapping_language import MappedLayout, Prompt
from assay.data.layouts.paths import path
from assay.data.layouts.texts import UnfitError, after_prompt, as_text, blank, missing, shared_prompt, turns
from assay.records import Message, Part, Text, as_messages

Data = Mapping[str, object]
Asking = Callable[[Data], Text]


class Asked(NamedTuple):
    """A prompt and two answers to it."""

    prompt: Text
    left: Text
    right: Text


def text_of(value: object, side: Part, name: str) -> Text:
    """A text, messages, or one message alone. Raises UnfitError."""
    return as_text(
        [value] if isinstance(value, Mapping) and ("role" in value or "from" in value) else value, side, name
    )


def asking(layout: MappedLayout) -> Asking:
    """The prompt of a row, its system message in front. Raises UnfitError where there is none."""
    system = None if layout.system is None else (path(layout.system), layout.system)
    asked = prompt_reading(layout.prompt)

    def reading(data: Data) -> Text:
        prompt = asked(data)
        if blank(prompt):
            raise UnfitError("missing_field", "the prompt is empty", "prompt")
        if system is None or missing(said := system[0](data)):
            return prompt
        return with_system(as_text(said, "prompt", system[1]), prompt)

    return reading


def with_system(system: Text, prompt: Text) -> Text:
    """The prompt under a system message; one that stands there already is not said twice."""
    before, messages = as_messages(system, role="system"), as_messages(prompt, role="user")
    return messages if blank(system) or messages[: len(before)] == before else before + messages


def prompt_reading(prompt: str | Sequence[str] | Prompt | None) -> Asking:
    """One column, several that make one prompt, or a transcript."""
    if isinstance(prompt, Prompt):
        name = prompt.transcript or ""
        look = path(name)
        return lambda data: transcript(as_text(look(data), "prompt", name))
    names = (prompt,) if isinstance(prompt, str) else tuple(prompt or ())
    looks = [(path(name), name) for name in names]
    if len(looks) == 1:
        ((only, named),) = looks
        return lambda data: text_of(only(data), "prompt", named)

    def joined(data: Data) -> Text:
        found = [text_of(value, "prompt", name) for look, name in looks if not missing(value := look(data))]
        parts = [part for part in found if not blank(part)]
        if all(isinstance(part, str) for part in parts):
            return "\n\n".join(str(part) for part in parts)
        return tuple(message for part in parts for message in as_messages(part, role="user"))

    return joined


def transcript(text: Text) -> Text:
    """The messages of a Human:/Assistant: transcript, without the empty turn it may end with; else the text itself."""
    if not isinstance(text, str) or (said := turns(text)) is None:
        return text
    return said[:-1] if not said[-1].content else said


def couple_reading(layout: MappedLayout) -> Callable[[Data], Asked]:
    """Prompt and two answers, wherever the prompt stands: beside them, in front of them, or in their turns."""
    names = layout.answers.couple
    left, right = map(path, names)
    sides: tuple[Part, Part] = ("both", "both") if layout.answers.chosen is None else ("chosen", "rejected")

    def answers(data: Data) -> tuple[Text, Text]:
        return text_of(left(data), sides[0], names[0]), text_of(right(data), sides[1], names[1])

    if isinstance(layout.prompt, Prompt) and layout.prompt.turns is not None:
        asked, name = path(layout.prompt.turns), layout.prompt.turns

        def spoken(data: Data) -> Asked:
            said = turn_list(asked(data), "prompt", name)
            couple = turn_list(left(data), sides[0], names[0]), turn_list(right(data), sides[1], names[1])
            if len(said) == 1 and len(couple[0]) == len(couple[1]) == 1:
                return Asked(said[0], couple[0][0], couple[1][0])
            return Asked(
                *shared_prompt(conversation(said, couple[0], names[0]), conversation(said, couple[1], names[1]))
            )

        return spoken
    if layout.prompt is None:
        return lambda data: Asked(*shared_prompt(*answers(data)))
    prompt_of = asking(layout)

    def beside(data: Data) -> Asked:
        prompt = prompt_of(data)
        one, other = answers(data)
        return Asked(prompt, after_prompt(prompt, one), after_prompt(prompt, other))

    return beside


def turn_list(value: object, side: Part, name: str) -> list[str]:
    """The turns of one speaker: a list of texts, also one that a table wrote as text."""
    if isinstance(value, str) and value.lstrip()[:1] != "[":
        return [value]
    found = listed(value)
    if not found or any(missing(turn) for turn in found):
        raise UnfitError("missing_field", f'"{name}" is no list of turns, or misses one', side)
    if not all(isinstance(turn, str) for turn in found):
        raise UnfitError("not_text", f'"{name}" is a list with more than texts in it', side)
    return [str(turn) for turn in found]


def conversation(asked: Sequence[str], answered: Sequence[str], name: str) -> tuple[Message, ...]:
    """Questions and replies in turn."""
    if len(asked) != len(answered):
        raise UnfitError("missing_field", f'"{name}" has {len(answered)} turns for {len(asked)} of the prompt', "both")
    return tuple(
        message
        for question, reply in zip(asked, answered, strict=True)
        for message in (Message(role="user", content=question), Message(role="assistant", content=reply))
    )


def list_of(value: object, name: str) -> Sequence[object]:
    """The answers in a list. Raises UnfitError where there are none."""
    found = [value] if isinstance(value, str) and value.lstrip()[:1] != "[" else listed(value)
    if not found:
        raise UnfitError("missing_field", f'"{name}" is missing, empty or no list of answers', "both")
    return found


def answer_of(item: object, key: str | None, name: str) -> Text:
    """One answer of a list: text, messages, or an object that holds either under `key`."""
    if isinstance(item, Mapping) and "role" not in item and "from" not in item:
        item = item.get(key) if key is not None else first(item, TEXT_KEYS)
    return text_of(item, "both", name)
