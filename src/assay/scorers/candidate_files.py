"""Candidates from JSON lines: a prompt and its answers a row, without labels. Knows rows; knows no scorer.

Reading data is data's business: this file goes where data reads candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.data.sources.row import Row
from assay.data.sources.text_files import json_lines, json_row, opened
from assay.errors import InputError
from assay.records import Candidates, Message, Reject, Text

ANSWERS = ("answers", "candidates")
HOLDS = "A row holds prompt (text or messages) and answers (a list of them)."


def holds_candidates(path: Path) -> bool:
    """Whether a file's first row has a list of answers under one prompt rather than a pair."""
    if not path.is_file() or not {".jsonl", ".json", ".ndjson"} & set(path.suffixes):
        return False
    try:
        row = next(json_objects(path, holds=HOLDS), None)
    except InputError:
        return False
    return row is not None and any(isinstance(row.data.get(name), list) for name in ANSWERS)


def read_candidates(path: Path) -> Iterator[Candidates]:
    """Rows {"prompt", "answers" or "candidates", "id"?} of a JSON-lines file, `.gz` included.

    Raises InputError with file and line for a row that is not that.
    """
    for row in json_objects(path, holds=HOLDS):
        try:
            yield _candidates(row.data, name=str(row.where.line))
        except ValueError as error:
            raise InputError(f"{row.where}: {error}. {HOLDS}") from None


def json_objects(path: Path, *, holds: str) -> Iterator[Row]:
    """The objects of a JSON-lines file, `.gz` included, with their lines.

    holds: what a row should be, for the message. Raises InputError at the first row that is no object.
    """
    with opened(path) as stream:
        for line in json_lines(stream, str(path)):
            row = line if isinstance(line, Reject) else json_row(line.text, line.where)
            if isinstance(row, Reject):
                raise InputError(f"{row.where}: not JSON lines ({row.detail}). {holds}")
            yield row


def _candidates(row: Mapping[str, object], *, name: str) -> Candidates:
    answers = next((found for key in ANSWERS if isinstance(found := row.get(key), list)), None)
    if not answers:
        raise ValueError('"answers" is missing or empty')
    if "prompt" not in row:
        raise ValueError('"prompt" is missing')
    return Candidates(
        id=str(row.get("id", name)),
        prompt=_text(row["prompt"], "prompt"),
        answers=tuple(_text(answer, f"answers[{n}]") for n, answer in enumerate(answers)),
    )


def _text(value: object, what: str) -> Text:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value:
        return tuple(_message(turn, what) for turn in value)
    raise ValueError(f'"{what}" is neither text nor messages')


def _message(turn: object, what: str) -> Message:
    if isinstance(turn, Mapping):
        role, content = turn.get("role"), turn.get("content")
        if isinstance(role, str) and isinstance(content, str):
            return Message(role=role, content=content)
    raise ValueError(f'"{what}" holds a message without role and content')
