"""Files of answers, one JSON object a line: read into rows, each with its line, and written from Generations.

A row is a prompt and an answer under any of their usual names, with an id, category and system where the file has
them. What assay writes also says what made the answer, and why there is none where there is none. Knows one policy a
file; knows neither what is asked of it nor which prompts it should have.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NotRequired, TypedDict

from pydantic import TypeAdapter, ValidationError

from assay.data.sources.json_rows import json_objects
from assay.errors import ConfigError, InputError
from assay.policies.protocol import Finish, Generation, Generations, Made, generated
from assay.policies.row_fields import ANSWER_FIELDS, answer_of, category_of, prompt_id_of, prompt_of
from assay.records import Text, Where, to_json
from assay.stats.unknown import Unknown

ROW = "Write one JSON object a line (JSON lines): a prompt and an answer."
_MADE = TypeAdapter(Made)
_GENERATION = TypeAdapter(Generation)


class AnswerRow(TypedDict):
    """One answer as `answer_rows` writes it. system: the policy's name. number: from 0, of
    the answers to this prompt. answer: null beside the reason for it. category: of the prompt, where it has one."""

    id: str
    prompt: str | list[dict[str, str]]
    category: NotRequired[str]
    system: str
    number: int
    answer: str | None
    reason: NotRequired[str]
    finish: Finish | None
    tokens: int | None
    seed: int | None
    made: Made


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """One row as read. text: the answer as it stands, which may be empty. made: None where the row does not say."""

    prompt_id: str | None
    prompt: Text
    text: str | Unknown
    generation: Generation
    category: str | None
    made: Made | None
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAnswer:
    """One answer by itself: the `number`-th, from 0, to a prompt."""

    prompt_id: str
    prompt: Text
    number: int
    generation: Generation
    made: Made

    @property
    def key(self) -> tuple[str, int]:
        return self.prompt_id, self.number


@dataclass(frozen=True, kw_only=True)
class AnswerFile:
    """The answers of one policy, in their order. system: its name."""

    system: str
    answers: tuple[RecordedAnswer, ...]

    @cached_property
    def has_ids(self) -> bool:
        """Whether every row has an id, so that prompts can be told by it; by their text otherwise."""
        return all(row.prompt_id is not None for row in self.answers)


def read_answers(path: Path, *, system: str | None = None) -> AnswerFile:
    """One file of answers. The system's name: as given, else the rows' `system`, else the file's name.

    Raises InputError with file, line and field.
    """
    rows = list(json_objects(path, holds=ROW))
    answers = tuple(_answer(row, where) for row, where in rows)
    if not answers:
        raise InputError(f"{path}: no rows. Expected one JSON object a line with a prompt and an answer.")
    named = {str(row["system"]) for row, _ in rows if row.get("system")}
    if system is None and len(named) > 1:
        raise InputError(f"{path}: rows of several systems ({', '.join(sorted(named))}). Give one file a system.")
    return AnswerFile(system=system or (named.pop() if named else path.stem), answers=answers)


def answer_rows(generations: Iterable[Generations]) -> Iterator[AnswerRow]:
    """One row an answer, in order; `read_answers` reads them back."""
    for one in generations:
        yield from map(answer_row, single_answers(one))


def single_answers(generations: Generations) -> Iterator[OneAnswer]:
    """The answers to one prompt, one by one."""
    for number, answer in enumerate(generations.answers):
        yield OneAnswer(
            prompt_id=generations.prompt_id,
            prompt=generations.prompt,
            number=number,
            generation=answer,
            made=generations.made,
        )


def answer_row(one: OneAnswer, *, category: str | None = None) -> AnswerRow:
    """One answer as a row. category: of its prompt."""
    answer = one.generation
    row = AnswerRow(
        id=one.prompt_id,
        prompt=to_json(one.prompt),
        system=one.made.policy,
        number=one.number,
        answer=answer.text if isinstance(answer.text, str) else None,
        finish=answer.finish,
        tokens=answer.tokens,
        seed=answer.seed,
        made=one.made,
    )
    if isinstance(answer.text, Unknown):
        row["reason"] = answer.text.reason
    if category is not None:
        row["category"] = category
    return row


def read_numbered(path: Path) -> list[OneAnswer] | None:
    """The answers of a file that assay wrote; None where a row is not assay's.

    Raises InputError for a row that cannot be read.
    """
    if not path.stat().st_size:
        return []
    found = []
    for row, where in json_objects(path, holds=ROW):
        one, number = _answer(row, where), row.get("number")
        if one.made is None or one.prompt_id is None or not isinstance(number, int):
            return None
        found.append(
            OneAnswer(
                prompt_id=one.prompt_id, prompt=one.prompt, number=number, generation=one.generation, made=one.made
            )
        )
    return found


def drop_torn(path: Path) -> None:
    """Cut off what a killed process left of a last line in a file that grows, before anything is put behind it."""
    body = path.read_bytes()
    if body and not body.endswith(b"\n"):
        os.truncate(path, body.rfind(b"\n") + 1)


def _answer(row: Mapping[str, object], where: Where) -> RecordedAnswer:
    text = _missing(row) or answer_of(row, ANSWER_FIELDS, where)
    generation = Generation(text=text) if isinstance(text, Unknown) else generated(text)
    made: Made | None = None
    if row.get("made") is not None:  # written by assay, so the fields beside it mean what assay means by them
        try:
            made = _MADE.validate_python(row["made"])
            told = {name: row.get(name) for name in ("finish", "tokens", "seed")}
            generation = _GENERATION.validate_python({"text": generation.text, **told})
        except (ValidationError, ConfigError) as error:
            raise InputError(
                f"{where}: cannot be read how this answer was made ({_said(error)}). Write the file with assay, or "
                'leave "made" out.'
            ) from None
    return RecordedAnswer(
        prompt_id=prompt_id_of(row),
        prompt=prompt_of(row, where),
        text=text,
        generation=generation,
        category=category_of(row),
        made=made,
        where=where,
    )


def _missing(row: Mapping[str, object]) -> Unknown | None:
    """Why there is no answer, where the row says so: null beside a reason."""
    reason = row.get("reason")
    states = "answer" in row and row["answer"] is None and isinstance(reason, str) and reason.strip()
    return Unknown(str(reason)) if states else None


def _said(error: ValidationError | ConfigError) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
