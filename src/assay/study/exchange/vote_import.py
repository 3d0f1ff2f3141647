"""Appends the votes in annotated files of other tools to the study's own trail. Every row is counted.

A row is kept, or is the same vote again, or is rejected with its reason. What makes the whole file doubtful (a showing
nobody planned, another study) is an error, and then nothing is imported.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from assay.artifacts.files import sha256_file
from assay.errors import StudyError
from assay.study.exchange.tools import argilla_tasks, label_studio_tasks, table_tasks
from assay.study.exchange.tools.task_form import Reply, Task, same_text, task_of
from assay.study.safe_html import visible_text
from assay.study.store import links
from assay.study.store.database import ServerLock, open_database, take_on_postgres
from assay.study.store.open_study import items_of, slots_of, study_of
from assay.study.store.study_log import note
from assay.study.store.votes import Ballot, Memo, Standing, is_open, record_vote, standing
from assay.study.study_address import Place, is_url, without_password
from assay.study.study_records import LONGEST_COMMENT, MsSource, Slot, Tool


class Reader(Protocol):
    def __call__(self, path: Path, *, aspects: Sequence[str]) -> Iterator[Reply]: ...


READERS: dict[Tool, Reader] = {
    "labelstudio": label_studio_tasks.read_replies,
    "argilla": argilla_tasks.read_replies,
    "csv": table_tasks.read_table,
    "jsonl": table_tasks.read_lines,
}
REASONS: Mapping[str, str] = {
    "not_judged": "the task was not judged",
    "no_choice": "submitted without a choice",
    "skipped": "skipped; the showing stays open",
    "draft": "saved, not submitted",
    "discarded": "discarded, not submitted",
    "contradiction": "two choices in one annotation",
    "unknown_choice": "a word that is no choice",
    "changed_text": "prompt or answers are not those of the sealed plan",
    "other_person": "judged by someone who is not this editor's judge",
    "differs": "the showing has another vote already; the first stands",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that became no vote."""

    where: str
    reason: str
    detail: str
    showing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Rows read = recorded + repeated + rejected. people: editor -> who, in the tool, judged for this editor."""

    rows: int
    recorded: int
    repeated: int
    rejected: tuple[Rejected, ...]
    people: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        reasons = dict(sorted(Counter(one.reason for one in self.rejected).items()))
        return {**asdict(self), "reasons": reasons}


def import_votes(place: Place, paths: Sequence[Path], *, tool: Tool) -> Imported:
    """Read annotated files and append their votes, all in one transaction.

    Raises InputError for files that cannot be read, StudyError where the study is closed or being served, or the files
    hold showings that are not of its plan.
    """
    lock = ServerLock(str(place))
    with closing(open_database(place)) as database:
        lock.take()
        try:
            with database.begin() as connection:
                if is_url(place):
                    take_on_postgres(connection, str(place))
                return _import(connection, without_password(place), paths, tool)
        finally:
            lock.release()


def _import(connection: Connection, place: str, paths: Sequence[Path], tool: Tool) -> Imported:
    study = study_of(connection)
    if not is_open(connection):
        raise StudyError(f"{place}: the study is closed, and no vote comes after that.")
    aspects = study.aspects
    replies = [reply for path in paths for reply in READERS[tool](path, aspects=aspects)]
    items = {item.id: item for item in items_of(connection)}
    slots = {slot.showing: slot for slot in slots_of(connection)}
    _insist_ours(replies, slots, study.id)
    people = _people(replies, slots)
    numbers = {editor.name: links.find_editor(connection, editor.name) for editor in study.editors}
    now = time.time()
    counts: Counter[str] = Counter()
    rejected: list[Rejected] = []
    memo = Memo(
        alone=True
    )  # each editor's trail is folded once, not once a row: sheets of hundreds would take squares of time
    for reply in replies:
        slot = slots[str(reply.showing)]
        why = _why_not(reply, task_of(study.id, slot, items[slot.item]), people.get(slot.editor))
        if why is None:
            found = _ballot(reply, slot, standing(connection, numbers[slot.editor], memo), tool)
            why = record_vote(connection, editor_id=numbers[slot.editor], ballot=found, at=now, memo=memo)
        if why in ("recorded", "repeated"):
            counts[why] += 1
        else:
            reason, _, detail = why.partition(": ")
            rejected.append(Rejected(where=reply.where, reason=reason, detail=detail or REASONS[reason],
                                     showing=reply.showing))  # fmt: skip
    files = "; ".join(f"{path.name} {sha256_file(path)}" for path in paths)
    who = "".join(f"; {editor} judged as {person}" for editor, person in sorted(people.items()))
    sums = f"{counts['recorded']} recorded, {counts['repeated']} repeated, {len(rejected)} rejected"
    note(connection, actor="owner", action="imported", detail=f"{tool}: {files}; {sums}{who}", at=now)
    return Imported(
        rows=len(replies),
        recorded=counts["recorded"],
        repeated=counts["repeated"],
        rejected=tuple(rejected),
        people=people,
    )


def _insist_ours(replies: Sequence[Reply], slots: Mapping[str, Slot], study: str) -> None:
    for reply in replies:
        if reply.study is not None and reply.study != study:
            raise StudyError(
                f'{reply.where}: belongs to study "{reply.study:.40}", this is "{study}". Nothing was imported.'
            )
        if reply.showing is None:
            raise StudyError(
                f"{reply.where}: does not say which showing it is. Import files made from assay study tasks; keep the "
                "showing with each row. Nothing was imported."
            )
        if reply.showing not in slots:
            raise StudyError(
                f'{reply.where}: showing "{reply.showing:.40}" is not of this study\'s plan. Nothing was imported.'
            )


def _people(replies: Sequence[Reply], slots: Mapping[str, Slot]) -> dict[str, str]:
    """editor -> the one person who judged for them: whoever judged most of their tasks, each person for one editor.

    A plan's editor is one person. Were two counted as one, or one as two, agreement would mean nothing.
    """
    counts: Counter[tuple[str, str]] = Counter(
        (slots[str(reply.showing)].editor, reply.person)
        for reply in replies
        if reply.person is not None and reply.choice is not None
    )
    found: dict[str, str] = {}
    # Greedy from the largest count: a colleague who judged two tasks by mistake does not take an editor's place.
    for (editor, person), _ in counts.most_common():
        if editor not in found and person not in found.values():
            found[editor] = person
    return found


def _why_not(reply: Reply, task: Task, person: str | None) -> str | None:
    """The reason a reply is no vote; None where it is one."""
    if reply.choice is None:
        return f"{reply.why}: {reply.detail}" if reply.detail else reply.why
    if reply.person is not None and reply.person != person:
        judge = "nobody" if person is None else repr(person)
        return f"other_person: judged by {reply.person!r:.60}; this editor's tasks were judged by {judge:.60}"
    changed = [name for name, text in reply.texts.items() if not same_text(text, getattr(task, name))]
    if changed:
        return f"changed_text: {', '.join(changed)} differ from the sealed plan"
    return None


def _ballot(reply: Reply, slot: Slot, editor: Standing, tool: Tool) -> Ballot:
    """A reply as a vote on its showing, in the round where the editor stands."""
    assert reply.choice is not None
    ms_source: MsSource | None = None if reply.ms is None else "tool"
    return Ballot(
        showing=slot.showing,
        round=editor.rounds.get(slot.showing, 0),
        choice=reply.choice,
        ratings=dict(reply.ratings),
        comment=visible_text(reply.comment)[:LONGEST_COMMENT],
        ms=reply.ms,
        ms_source=ms_source,
        source=tool,
    )
