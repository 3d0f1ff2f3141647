"""Files of multiple-choice questions -> rows: MMLU's CSV without a header, CSV with one, and JSON lines.

Without a header: question, options, letter. With one: question, choice0, choice1, ..., answer (from 0, or a letter).
JSON lines: question, choices, answer (from 0, a letter, or a list of them where several are right) and subject; or a
question written out with its options as `input`, and its letter as `output`. A folder is all of its files. Every row
becomes a question, or the file is refused with the line. Knows letters and options; knows not how they are asked.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase

from assay.data.sources.delimited import Cells, delimited, records
from assay.data.sources.json_rows import json_objects
from assay.data.sources.lines import Lines, opened, written
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.questions.task import cannot_be_graded
from assay.records import Reject, Where

LETTERS = ascii_uppercase  # what choices are called
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".json")
SPLITS = re.compile(r"_(dev|val|test|train)$")
OPTION = re.compile(r"^([A-Z])\. ", re.MULTILINE)
JSON_ROW = (
    'Write one JSON object a line: {"question": "...", "choices": ["...", "..."], "answer": 0, "subject": "..."}.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRow:
    """One question as written. id: the row's own, or the file's name and the line."""

    id: str
    subject: str
    question: str
    options: tuple[str, ...]
    right: tuple[int, ...]
    where: Where


def read_choices(path: Path) -> list[ChoiceRow]:
    """All rows of a file, or of the files of a folder by name. Raises InputError, with file and line."""
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES)
        if not files:
            raise InputError(f"{path}: no questions here. Expected {', '.join(SUFFIXES)} files.")
        return [row for file in files for row in read_choices(file)]
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: {path.suffix or 'no ending'} is not read. Expected {', '.join(SUFFIXES)}.")
    rows = list(_csv_rows(path) if path.suffix == ".csv" else map(_json_row, json_objects(path, holds=JSON_ROW)))
    if not rows:
        raise InputError(f"{path}: no questions in this file.")
    return rows


def _csv_rows(path: Path) -> Iterator[ChoiceRow]:
    subject = SPLITS.sub("", path.stem)
    with opened(path) as stream:
        first = next(csv.reader(Cells(Lines(stream, written(path)))), [])
    headed = first[:1] == ["question"]
    with opened(path) as stream:
        if headed:
            rows = delimited(stream, written(path), delimiter=",")
        else:  # as many options as the first row has, so that a comma left unquoted further down is found
            columns = ["question", *(f"choice{place}" for place in range(len(first) - 2)), "answer"]
            rows = records(Cells(Lines(stream, written(path))), columns, comma=",", quoting=csv.QUOTE_MINIMAL)
        for row in rows:
            if isinstance(row, Reject):
                raise InputError(f"{row.where}: {row.detail}")
            yield _csv_row(row, subject, headed=headed)


def _csv_row(row: Row, subject: str, *, headed: bool) -> ChoiceRow:
    cells = {name: str(value) for name, value in row.data.items()}
    options = [cells[name] for name in cells if name.startswith("choice")]
    if missing := {"question", "answer"} - cells.keys():
        raise InputError(f"{row.where}: no column {min(missing)!r}. Expected question, choice0, choice1, ..., answer.")
    answer = cells["answer"].strip()
    place = int(answer) if headed and answer.isdecimal() else answer
    return _row(row.where, subject, cells["question"], options, [place])


def _json_row(row: Row) -> ChoiceRow:
    data, where = row.data, row.where
    subject = data.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        subject = SPLITS.sub("", _stem(where))
    if "input" in data and "question" not in data:
        question, options = _written_out(_text(data, "input", where), where)
        answer = data.get("output")
    else:
        question, listed, answer = _text(data, "question", where), data.get("choices"), data.get("answer")
        if not isinstance(listed, list) or not all(isinstance(option, str) for option in listed):
            raise InputError(f"{where}: choices should be a list of texts. {JSON_ROW}")
        options = list(listed)
    found = _row(where, subject, question, options, answer if isinstance(answer, list) else [answer])
    return found if data.get("id") is None else replace(found, id=str(data["id"]))


def _written_out(text: str, where: Where) -> tuple[str, list[str]]:
    """Question and options of a prompt as it is put: a line about the subject, the question, "A. ...", "Answer:"."""
    body = text.removesuffix("Answer:").removesuffix("\n")
    if body.startswith("The following are multiple choice questions"):
        body = body.partition("\n\n")[2]
    letters: list[str] = []
    options: list[str] = []
    end = len(body)
    for found in reversed(list(OPTION.finditer(body))):  # from the end: the question may hold lines like options
        letters.insert(0, found.group(1))
        options.insert(0, body[found.end() : end].removesuffix("\n"))
        end = found.start()
        if found.group(1) == "A":
            break
    if letters != list(LETTERS[: len(letters)]):
        raise InputError(f"{where}: the options of the question are not A, B, C, ... in order, each on its line.")
    return body[:end].removesuffix("\n"), options


def _row(where: Where, subject: str, question: str, options: list[str], answers: list[object]) -> ChoiceRow:
    if not question.strip():
        raise InputError(f"{where}: the question is empty.")
    if len(options) > len(LETTERS):
        raise InputError(f"{where}: {len(options)} choices; at most {len(LETTERS)} have a letter.")
    for letter, option in zip(LETTERS, options, strict=False):
        if not option.strip():
            raise InputError(f"{where}: choice {letter} is empty.")
    right = tuple(sorted(_place(answer, where) for answer in answers))
    if problem := cannot_be_graded(len(options), right):
        raise InputError(f"{where}: {problem}.")
    name = f"{_stem(where)}:{where.line}"
    return ChoiceRow(id=name, subject=subject, question=question, options=tuple(options), right=right, where=where)


def _place(answer: object, where: Where) -> int:
    """Which option an answer names, from 0."""
    if isinstance(answer, int) and not isinstance(answer, bool):
        return answer
    if isinstance(answer, str) and len(answer.strip()) == 1 and answer.strip().upper() in LETTERS:
        return LETTERS.index(answer.strip().upper())
    raise InputError(
        f"{where}: the answer is {answer!r}; expected a letter, or where choices are numbered a number from 0. Several "
        'right answers stand in JSON lines, as a list: "answer": [0, 2].'
    )


def _text(data: Mapping[str, object], name: str, where: Where) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise InputError(f"{where}: no text under {name!r}. {JSON_ROW}")
    return value


def _stem(where: Where) -> str:
    return Path(where.source).name.partition(".")[0]
