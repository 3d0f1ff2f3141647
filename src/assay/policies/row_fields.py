"""Fields of a row that people or programs wrote -> prompt, answer, prompt id, category. Says where one is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from assay.data.column_use import lost_field
from assay.data.layouts.texts import UnfitError, as_text
from assay.errors import InputError
from assay.records import Message, Text, Where, plain_text

ID_FIELDS = ("prompt_id", "id")
PROMPT_FIELDS = ("prompt", "instruction", "question")
ANSWER_FIELDS = ("answer", "completion", "response", "output", "generation")


def prompt_id_of(row: Mapping[str, object]) -> str | None:
    value = _first(row, ID_FIELDS)
    return None if value is None else str(value)


def category_of(row: Mapping[str, object]) -> str | None:
    value = row.get("category")
    return None if value is None else str(value)


def prompt_of(row: Mapping[str, object], where: Where, *, system: Literal["name", "text"] = "name") -> Text:
    """The prompt, as text or messages: an instruction with its input, behind a system text where there is one.

    system: what the field of that name holds, the name of what answered or a text that belongs to the prompt.
    Raises InputError where there is none or it is empty, and where a field that belongs to it would be lost.
    """
    column = next((name for name in PROMPT_FIELDS if row.get(name) is not None), None)
    if column is None:
        raise InputError(f"{where}: no prompt. Looked for {', '.join(PROMPT_FIELDS)}; found {_names(row)}.")
    text, used = _as_text(row[column], where, "prompt"), {column}
    half, before = row.get("input"), row.get("system")
    if column == "instruction" and isinstance(text, str) and isinstance(half, str):
        text = f"{text}\n\n{_storable(half)}" if half.strip() else text
        used.add("input")
    if not plain_text(text).strip():
        raise InputError(f"{where}: the prompt is empty. Remove the row in every file.")
    if system == "name" or isinstance(before, str):
        used.add("system")
    if system == "text" and isinstance(before, str) and before.strip() and before.strip() not in plain_text(text):
        turns = (Message(role="user", content=text),) if isinstance(text, str) else text
        text = (Message(role="system", content=_storable(before)), *turns)
    if (lost := lost_field(row, text, used)) is not None:
        raise InputError(f"{where}: {lost}. Put it into the prompt, or remove the field.")
    return text


def answer_of(row: Mapping[str, object], names: Sequence[str], where: Where) -> str:
    """The answer in the first of these fields that has one. Raises InputError where none has."""
    value = _first(row, names)
    if value is None:
        raise InputError(f"{where}: no answer. Looked for {', '.join(names)}; found {_names(row)}.")
    return plain_text(_as_text(value, where, "answer"))


def _first(row: Mapping[str, object], names: Sequence[str]) -> object:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _as_text(value: object, where: Where, name: str) -> Text:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list) and all(isinstance(turn, dict) for turn in value):
        # A turn that names no role is the user's; every other role is known by name, or the row is refused.
        turns = [turn if turn.get("role", turn.get("from")) else {**turn, "role": "user"} for turn in value]
        try:
            found = as_text(turns, "prompt" if name == "prompt" else "both", name)
        except UnfitError as error:
            raise InputError(f"{where}: {error}.") from None
        assert not isinstance(found, str)  # a list is messages
        return tuple(Message(role=turn.role, content=_storable(turn.content)) for turn in found)
    raise InputError(f"{where}: the {name} is a {type(value).__name__}; expected text or a list of chat messages.")


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL; both databases shall hold the same text."""
    return text.replace("\x00", "\ufffd")


def _names(row: Mapping[str, object]) -> str:
    return ", ".join(map(str, row)) or "no fields"


def quoted(text: str) -> str:
    """The beginning of a text on one line, in quotation marks, for a message."""
    flat = " ".join(text.split())
    return f'"{flat[:60]}..."' if len(flat) > 60 else f'"{flat}"'
