"""Writes tasks as a table a person fills in a spreadsheet, or as JSON lines, and reads the replies in them.

Knows no study's database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from assay.errors import InputError
from assay.study.exchange.spreadsheet import from_cell, from_csv, to_csv
from assay.study.exchange.tools.task_form import FIELDS, Form, Reply, Task, as_choice, ratings_of
from assay.study.exchange.tools.tool_rows import tool_rows

ASPECT = "aspect "
BOM = "\ufeff"  # without it Excel reads UTF-8 as something else


def table(tasks: Sequence[Task], form: Form) -> str:
    """One row a task; choice (and aspects, and comment) are left to fill in."""
    asked = ("choice", *(ASPECT + aspect for aspect in form.aspects), *(("comment",) if form.comments else ()))
    rows = [{name: getattr(task, name) for name in ("study", "showing", *FIELDS)} for task in tasks]
    return BOM + to_csv(("study", "showing", *FIELDS, *asked), rows)


def lines(tasks: Sequence[Task]) -> list[dict[str, object]]:
    """One object a task; `choice` (and `ratings`, `comment`) are to be filled in."""
    return [{**{name: getattr(task, name) for name in ("study", "showing", *FIELDS)}, "choice": None} for task in tasks]


def read_table(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """The rows of a filled-in table: columns showing and choice, and whatever else was left in it."""
    try:
        rows = from_csv(path.read_bytes().decode(), name=str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8. In the spreadsheet, save as CSV UTF-8.") from None
    if not rows or not {"showing", "choice"} <= rows[0][1].keys():
        found = ", ".join(rows[0][1]) if rows else "no rows"
        raise InputError(f"{path}: needs the columns showing and choice; found {found}.")
    for number, cells in rows:
        # What a person typed is taken as it is; what we wrote loses the apostrophe we gave it.
        row = {name: from_cell(cell) if name in FIELDS else cell for name, cell in cells.items()}
        ratings = {aspect: row.get(ASPECT + aspect) for aspect in aspects}
        yield _reply({**row, "ratings": ratings}, f"{path}: row {number}", aspects)


def read_lines(path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]:
    """The rows of filled-in JSON lines."""
    for row, where in tool_rows(path):
        yield _reply(row, str(where), aspects)


def _reply(row: Mapping[str, object], where: str, aspects: Sequence[str]) -> Reply:
    said = row.get("choice")
    choice = as_choice(said) if said is not None else None
    why, detail = "", ""
    if said is None or not str(said).strip():
        why, detail = "not_judged", "no choice"
    elif choice is None:
        why, detail = "unknown_choice", f"{said!r:.60} is none of left, right, tie, both_bad, abstain"
    stated = row.get("ratings")
    given = stated if isinstance(stated, Mapping) else {}
    return Reply(
        where=where,
        study=_text(row.get("study")),
        showing=_text(row.get("showing")),
        choice=choice,
        why=why,
        detail=detail,
        person=_text(row.get("person")),
        comment=str(row.get("comment") or ""),
        ratings=ratings_of(aspects, lambda _, aspect: given.get(aspect)),
        texts={name: str(row[name]) for name in FIELDS if row.get(name) is not None},
    )


def _text(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None
