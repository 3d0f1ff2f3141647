"""Fields of a row that people or programs wrote -> prompt, answer, prompt id, category. Says where one is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def prompt_of(row: Mapping[str, object], where: Where) -> Text:
    """The prompt, as text or messages. Raises InputError where there is none or it is empty."""
    value = _first(row, PROMPT_FIELDS)
    if value is None:
        raise InputError(f"{where}: no prompt. Looked for {', '.join(PROMPT_FIELDS)}; found {_names(row)}.")
    text = _as_text(value, where, "prompt")
    if not plain_text(text).strip():
        raise InputError(f"{where}: the prompt is empty. Remove the row in every file.")
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
    if isinstance(value, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("content"), str) for turn in value
    ):
        return tuple(
            Message(role=str(turn.get("role") or "user"), content=_storable(turn["content"])) for turn in value
        )
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
