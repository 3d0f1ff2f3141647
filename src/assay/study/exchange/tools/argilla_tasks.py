"""Writes tasks and judged items as Argilla's dataset folders, and reads people's replies from its flat records.

The folder is the one `rg.Dataset.from_disk` reads. Only the flat records of `dataset.records.to_list(flatten=True)` say
which responses were submitted: the nested ones drop it, so a draft would count as a vote. Knows no study's database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay.data.layouts.argilla import Response, responses
from assay.errors import InputError
from assay.study.exchange.tools.task_form import FIELDS, Form, Reply, Task, as_choice, ratings_of, text_or_none
from assay.study.exchange.tools.tool_rows import tool_rows
from assay.study.study_records import LABELS, Choice

Answered = tuple[str, str]  # value, who
PREFERENCE, COMMENT, ASPECT = "preference", "comment", "aspect_"
FLAT = (
    "Export the records flat: json.dump(dataset.records.to_list(flatten=True), file), so that it can be seen which "
    "responses were submitted."
)


def settings(form: Form, *, terms: Sequence[str] = ("study",)) -> dict[str, object]:
    """The dataset's settings, as `rg.Settings.from_json` reads them."""
    questions = [_label(PREFERENCE, form.question, LABELS, required=True)]
    for number, aspect in enumerate(form.aspects, start=1):
        words: dict[Choice, str] = {"left": LABELS["left"], "tie": LABELS["tie"], "right": LABELS["right"]}
        title = f"Which answer is better: {aspect}?"
        questions.append(_label(f"{ASPECT}{number}", title, words, required=False))
    if form.comments:
        body = {"type": "text", "use_markdown": False}
        questions.append(_named(COMMENT, "Comment, if you like", body, required=False, type="text"))
    text = {"type": "text", "use_markdown": False}
    titles = {"prompt": "Prompt", "left": LABELS["left"], "right": LABELS["right"]}
    return {
        "guidelines": form.instructions or None,
        "questions": questions,
        "fields": [_named(name, titles[name], text, required=True, type="text") for name in FIELDS],
        "vectors": [],
        "metadata": [
            {
                "name": name,
                "title": name,
                "settings": {"visible_for_annotators": False, "type": "terms", "values": None},
                "visible_for_annotators": False,
            }
            for name in terms
        ],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def records(tasks: Sequence[Task]) -> list[dict[str, object]]:
    """Records as `rg.Record.from_dict` reads them; a record is called as its showing."""
    return [
        {
            "id": task.showing,
            "fields": {name: getattr(task, name) for name in FIELDS},
            "metadata": {"study": task.study},
            "suggestions": {},
            "responses": {},
            "vectors": {},
        }
        for task in tasks
    ]


def dataset(name: str) -> dict[str, object]:
    """The dataset's own entry in a folder that `rg.Dataset.from_disk` reads."""
    return {"name": name, "status": "draft", "allow_extra_metadata": False}


def judged_record(
    *,
    item: str,
    texts: Mapping[str, str],
    about: Mapping[str, str],
    answers: Mapping[str, Sequence[Answered]],
    flat: bool,
) -> dict[str, object]:
    """A record with what people answered, by question; flat, or nested as `rg.Record.from_dict` reads it."""
    base: dict[str, object] = {"id": item, "status": "completed" if answers else "pending"}
    if flat:
        columns: dict[str, object] = {}
        for question, found in answers.items():
            columns[f"{question}.responses"] = [value for value, _ in found]
            columns[f"{question}.responses.users"] = [who for _, who in found]
            columns[f"{question}.responses.status"] = ["submitted"] * len(found)
        return {**base, **texts, **about, **columns}
    nested = {
        question: [{"value": value, "user_id": who} for value, who in found] for question, found in answers.items()
    }
    return {**base, "fields": texts, "metadata": about, "suggestions": {}, "responses": nested, "vectors": {}}


def read_replies(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """Every response of every person, and every record without one."""
    for number, (record, _) in enumerate(tool_rows(path), start=1):
        where = f"{path}: record {record.get('id', number)}"
        nested = record.get("responses")
        if isinstance(nested, Mapping) and "fields" in record:
            if any(nested.values()):
                raise InputError(f"{where}: nested, and without the status of its responses. {FLAT}")
            record = {**_object(record["fields"]), **_object(record.get("metadata")), "id": record.get("id")}  # noqa: PLW2901
        yield from _replies(record, where, aspects)


def _replies(record: Mapping[str, object], where: str, aspects: Sequence[str]) -> Iterator[Reply]:
    empty = Reply(
        where=where,
        study=text_or_none(record.get("study")),
        showing=text_or_none(record.get("id")),
        texts={name: str(record[name]) for name in FIELDS if record.get(name) is not None},
        choice=None,
    )
    answers = {question: _by_person(record, question, where) for question in _questions(aspects)}
    people = list(dict.fromkeys(person for found in answers.values() for person in found))
    if not people:
        yield replace(empty, why="not_judged", detail="the record has no response")
    for person in people:
        given = {question: found[person] for question, found in answers.items() if person in found}
        yield _reply(empty, person, given, aspects)


def _reply(empty: Reply, person: str, given: Mapping[str, Response], aspects: Sequence[str]) -> Reply:
    """One person's responses to the questions of one record."""
    values = {question: response.value for question, response in given.items()}
    preferred = given.get(PREFERENCE)
    said, status = (None, None) if preferred is None else (preferred.value, preferred.status)
    choice = as_choice(said)
    why, detail = "", ""
    if status is not None and status != "submitted":
        choice, why, detail = None, status, f"the response is {status}, not submitted"
    elif said is None:
        choice, why, detail = None, "no_choice", "a response without a preference"
    elif choice is None:
        why, detail = "unknown_choice", f"{said!r:.60} is no choice of a study"
    return replace(
        empty,
        choice=choice,
        why=why,
        detail=detail,
        person=person,
        comment=str(values.get(COMMENT) or ""),
        ratings=ratings_of(aspects, lambda number, _: values.get(f"{ASPECT}{number}")),
    )


def _by_person(record: Mapping[str, object], question: str, where: str) -> dict[str, Response]:
    """person -> response to one question of a flat record. Raises InputError where users or status are missing."""
    found = responses(record, question)
    if any(response.person is None or response.status is None for response in found):
        raise InputError(f"{where}: responses to {question} without users or status. {FLAT}")
    return {str(response.person): response for response in found}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _questions(aspects: Sequence[str]) -> list[str]:
    return [PREFERENCE, COMMENT, *(f"{ASPECT}{number}" for number in range(1, len(aspects) + 1))]


def _label(name: str, title: str, options: Mapping[Choice, str], *, required: bool) -> dict[str, object]:
    body = {
        "type": "label_selection",
        "options": [{"text": text, "value": value} for value, text in options.items()],
        "visible_options": len(options),
    }
    return _named(name, title, body, required=required, type="label_selection")


def _named(name: str, title: str, body: Mapping[str, object], *, required: bool, type: str) -> dict[str, object]:  # noqa: A002
    return {
        "name": name, "title": title, "settings": dict(body), "required": required, "description": None, "type": type,
    }  # fmt: skip
