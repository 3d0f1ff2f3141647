"""Argilla's dataset folders and flat records. Knows their formats; knows no study's database.

The folder is the one `rg.Dataset.from_disk` reads. Only the flat records of `dataset.records.to_list(flatten=True)` say
which responses were submitted: the nested ones drop it, so a draft would count as a vote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import InputError
from assay.study.exchange.forms import FIELDS, Form, Reply, Task, as_choice, as_rating
from assay.study.exchange.json_files import json_rows
from assay.study.study_records import LABELS, Choice, Rating

PREFERENCE, COMMENT, ASPECT = "preference", "comment", "aspect_"
FLAT = (
    "Export the records flat: json.dump(dataset.records.to_list(flatten=True), file), so that it can be seen which "
    "responses were submitted."
)


def settings(form: Form, *, terms: Sequence[str] = ("study",)) -> dict[str, Any]:
    """The dataset's settings, as `rg.Settings.from_json` reads them."""
    questions = [_label(PREFERENCE, form.question, LABELS, required=True)]
    for number, aspect in enumerate(form.aspects, start=1):
        words = {"left": LABELS["left"], "tie": LABELS["tie"], "right": LABELS["right"]}
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


def records(tasks: Sequence[Task]) -> list[dict[str, Any]]:
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


def dataset(name: str) -> dict[str, Any]:
    """The dataset's own entry in a folder that `rg.Dataset.from_disk` reads."""
    return {"name": name, "status": "draft", "allow_extra_metadata": False}


def read_replies(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """Every response of every person, and every record without one."""
    for number, row in enumerate(json_rows(path), start=1):
        where = f"{path}: record {row.get('id', number)}"
        if isinstance(row.get("responses"), Mapping) and "fields" in row:
            if any(row["responses"].values()):
                raise InputError(f"{where}: nested, and without the status of its responses. {FLAT}")
            row = {**row["fields"], **(row.get("metadata") or {}), "id": row.get("id")}  # noqa: PLW2901
        yield from _replies(row, where, aspects)


def _replies(row: Mapping[str, Any], where: str, aspects: Sequence[str]) -> Iterator[Reply]:
    texts = {name: str(row[name]) for name in FIELDS if row.get(name) is not None}
    base: dict[str, Any] = {"study": _text(row.get("study")), "showing": _text(row.get("id")), "texts": texts}
    answers = {name: _by_person(row, name, where) for name in _questions(aspects)}
    people = list(dict.fromkeys(person for found in answers.values() for person in found))
    if not people:
        yield Reply(where=where, choice=None, why="not_judged", detail="the record has no response", **base)
    for person in people:
        value, status = answers[PREFERENCE].get(person, (None, None))
        choice: Choice | None = as_choice(value)
        why, detail = "", ""
        if status is not None and status != "submitted":
            choice, why, detail = None, str(status), f"the response is {status}, not submitted"
        elif value is None:
            choice, why, detail = None, "no_choice", "a response without a preference"
        elif choice is None:
            why, detail = "unknown_choice", f"{value!r:.60} is no choice of a study"
        ratings: dict[str, Rating] = {}
        for number, aspect in enumerate(aspects, start=1):
            rating = as_rating(answers[f"{ASPECT}{number}"].get(person, (None, None))[0])
            if rating is not None:
                ratings[aspect] = rating
        comment = answers[COMMENT].get(person, (None, None))[0]
        yield Reply(
            where=where, choice=choice, why=why, detail=detail, person=person, comment=str(comment or ""),
            ratings=ratings, **base,
        )  # fmt: skip


def _by_person(row: Mapping[str, Any], question: str, where: str) -> dict[str, tuple[Any, str | None]]:
    """person -> (value, status) of one question of a flat record."""
    values, people, states = (row.get(f"{question}.responses{end}") or [] for end in ("", ".users", ".status"))
    if values and (len(people) != len(values) or len(states) != len(values) or None in states):
        raise InputError(f"{where}: responses to {question} without users or status. {FLAT}")
    return {str(person): (value, str(status)) for value, person, status in zip(values, people, states, strict=True)}


def _questions(aspects: Sequence[str]) -> list[str]:
    return [PREFERENCE, COMMENT, *(f"{ASPECT}{number}" for number in range(1, len(aspects) + 1))]


def _label(name: str, title: str, options: Mapping[Any, str], *, required: bool) -> dict[str, Any]:
    body = {
        "type": "label_selection",
        "options": [{"text": text, "value": value} for value, text in options.items()],
        "visible_options": len(options),
    }
    return _named(name, title, body, required=required, type="label_selection")


def _named(name: str, title: str, body: Mapping[str, Any], *, required: bool, type: str) -> dict[str, Any]:  # noqa: A002
    return {
        "name": name, "title": title, "settings": dict(body), "required": required, "description": None, "type": type,
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
