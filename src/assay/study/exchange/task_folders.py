"""Writes a study's open showings as tasks of a tool, one set an editor. Knows the study; leaves files to `tools`."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from assay.artifacts.files import dumps, write_jsonl
from assay.errors import StudyError
from assay.study.exchange.new_folder import new_folder
from assay.study.exchange.tools import argilla_tasks, label_studio_tasks, table_tasks
from assay.study.exchange.tools.task_form import Form, Task, form_of, task_of
from assay.study.store import links
from assay.study.store.database import open_database
from assay.study.store.open_study import items_of, slots_of, study_of
from assay.study.store.study_log import note
from assay.study.store.votes import is_open, standing
from assay.study.study_address import Place, without_password
from assay.study.study_records import Study, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One editor's tasks, in the order to judge them. name: safe in any file system, in the order of the editors."""

    editor: str
    name: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksWritten:
    """What was written: editor -> (file or folder, number of tasks)."""

    folder: Path
    sheets: dict[str, tuple[str, int]]
    extra: tuple[str, ...]

    @property
    def tasks(self) -> int:
        return sum(count for _, count in self.sheets.values())


def write_tasks(place: Place, out: Path, *, tool: Tool, editors: Sequence[str] = ()) -> TasksWritten:
    """Write the showings not judged yet, of these editors or of all, as tasks of `tool`, all or nothing.

    Raises StudyError where the study is closed, an editor is unknown, nothing is left, or `out` is there already.
    """
    with (
        closing(open_database(place)) as database,
        database.begin() as connection,
        new_folder(out) as draft,
    ):
        study = study_of(connection)
        if not is_open(connection):
            raise StudyError(
                f"{without_password(place)}: the study is closed, and no vote comes after that. Export it instead."
            )
        sheets = _sheets(connection, study, editors)
        if not any(sheet.tasks for sheet in sheets):
            raise StudyError(
                f"{without_password(place)}: nothing left to judge for {', '.join(sheet.editor for sheet in sheets)}."
            )
        files, extra = WRITERS[tool](draft, sheets, form_of(study))
        counts = ", ".join(f"{sheet.editor} {len(sheet.tasks)}" for sheet in sheets)
        note(connection, actor="owner", action="tasks_written", detail=f"{tool}: {counts}", at=time.time())
    written = {sheet.editor: (file, len(sheet.tasks)) for sheet, file in zip(sheets, files, strict=True)}
    return TasksWritten(folder=out, sheets=written, extra=tuple(extra))


def _sheets(connection: Connection, study: Study, editors: Sequence[str]) -> list[Sheet]:
    names = [editor.name for editor in study.editors]
    numbers = {name: links.find_editor(connection, name) for name in editors or names}
    items = {item.id: item for item in items_of(connection)}
    slots = slots_of(connection)
    sheets = []
    for name, number in numbers.items():
        judged = standing(connection, number).live
        tasks = tuple(
            task_of(study.id, slot, items[slot.item])
            for slot in slots
            if slot.editor == name and slot.showing not in judged
        )
        sheets.append(Sheet(editor=name, name=file_name(names.index(name) + 1, name), tasks=tasks))
    return sheets


def file_name(number: int, editor: str) -> str:
    """A name any file system takes, distinct by its number."""
    plain_name = unicodedata.normalize("NFKD", editor).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain_name).strip("-").lower()[:40]
    return f"{number:02}-{slug}" if slug else f"{number:02}"


def _label_studio(folder: Path, sheets: Sequence[Sheet], form: Form) -> tuple[list[str], list[str]]:
    (folder / "labeling.xml").write_text(label_studio_tasks.configuration(form), encoding="utf-8")
    for sheet in sheets:
        (folder / f"{sheet.name}.json").write_bytes(dumps(label_studio_tasks.tasks_file(sheet.tasks)))
    return [f"{sheet.name}.json" for sheet in sheets], ["labeling.xml"]


def _argilla(folder: Path, sheets: Sequence[Sheet], form: Form) -> tuple[list[str], list[str]]:
    for sheet in sheets:
        own = folder / sheet.name
        (own / ".argilla").mkdir(parents=True)
        (own / ".argilla" / "settings.json").write_bytes(dumps(argilla_tasks.settings(form)))
        (own / ".argilla" / "dataset.json").write_bytes(dumps(argilla_tasks.dataset(f"{form.study}-{sheet.name}")))
        (own / "records.json").write_bytes(dumps(argilla_tasks.records(sheet.tasks)))
    return [sheet.name for sheet in sheets], []


def _csv(folder: Path, sheets: Sequence[Sheet], form: Form) -> tuple[list[str], list[str]]:
    for sheet in sheets:
        (folder / f"{sheet.name}.csv").write_bytes(table_tasks.table(sheet.tasks, form).encode())
    return [f"{sheet.name}.csv" for sheet in sheets], []


def _jsonl(folder: Path, sheets: Sequence[Sheet], _: Form) -> tuple[list[str], list[str]]:
    for sheet in sheets:
        write_jsonl(folder / f"{sheet.name}.jsonl", table_tasks.lines(sheet.tasks))
    return [f"{sheet.name}.jsonl" for sheet in sheets], []


# Each writes into a folder that is there; returns one name a sheet, and the names of what goes with all of them.
WRITERS: dict[Tool, Callable[[Path, Sequence[Sheet], Form], tuple[list[str], list[str]]]] = {
    "labelstudio": _label_studio,
    "argilla": _argilla,
    "csv": _csv,
    "jsonl": _jsonl,
}
