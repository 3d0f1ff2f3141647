"""Reads what may be known of a study at any time: what it is, items, sealed plan, how far its editors are.

Tells no choice: votes are read when the study is closed, by `closed_study`.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, func, select

from assay.records import Message, Text
from assay.study.store import links
from assay.study.store.database import open_database, tables
from assay.study.study_address import Place
from assay.study.study_records import Editor, EditorProgress, Item, SetAside, Slot, Study


def read_facts(place: Place) -> Study:
    """What the study is; no votes."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return study_of(connection)


def read_progress(place: Place) -> list[EditorProgress]:
    """How far each editor is, in counts."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return progress_of(connection, at=time.time())


def study_of(connection: Connection) -> Study:
    values = meta_of(connection)
    systems = connection.execute(
        select(tables.items.c.system_a, tables.items.c.system_b).where(tables.items.c.kind == "real").distinct()
    ).all()
    named = orjson.loads(values["systems"])
    editors = connection.execute(
        select(tables.editors.c.name, tables.editors.c.judge).order_by(tables.editors.c.id)
    ).all()
    aside = connection.execute(select(tables.aside).order_by(tables.aside.c.id)).all()
    return Study(
        id=values["id"],
        title=values["title"],
        created_at=values["created_at"],
        closed_at=values.get("closed_at"),
        seed=int(values["seed"]),
        seal=values["seal"],
        systems=tuple(name for name in named if any(name in pair for pair in systems)),
        editors=tuple(Editor(name=name, judge=judge) for name, judge in editors),
        config=orjson.loads(values["config"]),
        inputs=orjson.loads(values["inputs"]),
        power=orjson.loads(values["power"]),
        giveaways=tuple(orjson.loads(values["giveaways"])),
        set_aside=tuple(SetAside(prompt_id=r.prompt_id, reason=r.reason, detail=r.detail) for r in aside),
    )


def progress_of(connection: Connection, *, at: float) -> list[EditorProgress]:
    acts, slots, people, joins = tables.votes.c, tables.plan.c, tables.editors.c, tables.links.c
    totals: dict[int, int] = dict(
        connection.execute(select(slots.editor_id, func.count()).group_by(slots.editor_id)).all()
    )
    acted: dict[tuple[int, str], int] = {
        (editor, action): count
        for editor, action, count in connection.execute(
            select(acts.editor_id, acts.action, func.count()).group_by(acts.editor_id, acts.action)
        )
    }
    last = dict(connection.execute(select(acts.editor_id, func.max(acts.at)).group_by(acts.editor_id)).all())
    newest = {
        row.editor_id: links.link_state(row.revoked_at, row.expires_at, at)
        for row in connection.execute(
            select(joins.editor_id, joins.revoked_at, joins.expires_at).where(joins.role == "editor").order_by(joins.id)
        )
    }
    rows = connection.execute(select(people.id, people.name, people.judge).order_by(people.id))
    return [
        EditorProgress(
            editor=Editor(name=name, judge=judge),
            # Each undo takes back exactly one vote, so counts are enough and no choice is read.
            done=acted.get((number, "vote"), 0) - acted.get((number, "undo"), 0),
            total=totals.get(number, 0),
            last_at=iso(last[number]) if number in last else None,
            link=newest.get(number, "none"),
        )
        for number, name, judge in rows
    ]


def items_of(connection: Connection) -> list[Item]:
    rows = connection.execute(select(tables.items)).all()
    return [
        Item(
            id=row.id,
            prompt_id=row.prompt_id,
            prompt=_prompt(row.prompt),
            answer_a=row.answer_a,
            answer_b=row.answer_b,
            system_a=row.system_a,
            system_b=row.system_b,
            kind=row.kind,
            known=row.known,
            category=row.category,
        )
        for row in rows
    ]


def slots_of(connection: Connection) -> list[Slot]:
    slots, people = tables.plan.c, tables.editors
    rows = connection.execute(
        select(tables.plan, people.c.name)
        .join(people, people.c.id == slots.editor_id)
        .order_by(slots.editor_id, slots.position)
    )
    return [
        Slot(
            showing=row.showing,
            editor=row.name,
            position=row.position,
            item=row.item_id,
            left=row.left_side,
            kind=row.kind,
        )
        for row in rows
    ]


def meta_of(connection: Connection) -> dict[str, str]:
    """Keys and values that are not in tables of their own, as stored."""
    return dict(connection.execute(select(tables.meta.c.key, tables.meta.c.value)).all())


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _prompt(stored: str) -> Text:
    value = orjson.loads(stored)
    if isinstance(value, str):
        return value
    return tuple(Message(role=turn["role"], content=turn["content"]) for turn in value)
