"""A study at rest: made once, read when closed. Knows the tables' meaning; knows no page and no statistics."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select

from assay.artifacts.files import dumps
from assay.errors import StudyError
from assay.records import Message, Text, to_json
from assay.study.plan.design import seal as seal_of
from assay.study.store import links, tables
from assay.study.store.database import create_database, open_database
from assay.study.store.votes import COLUMNS, broken_at, note
from assay.study.study_records import (
    ClosedStudy,
    Editor,
    EditorProgress,
    Item,
    SetAside,
    Slot,
    Study,
    StudyVote,
)

Place = str | Path
OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a study consists of before its first vote."""

    id: str
    title: str
    seed: int
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    power: Mapping[str, Any]
    giveaways: Sequence[Mapping[str, Any]]
    editors: Sequence[Editor]
    items: Sequence[Item]
    slots: Sequence[Slot]
    aside: Sequence[SetAside]
    link_days: float


def write_study(place: Place, draft: Draft) -> dict[str, str]:
    """Store a new study, all or nothing; returns the links' tokens by editor name, the owner's under ""."""
    tokens: dict[str, str] = {}

    def fill(connection: Connection) -> None:
        now = time.time()
        _fill_meta(connection, draft, now)
        numbers = {editor.name: number for number, editor in enumerate(draft.editors, start=1)}
        connection.execute(
            insert(tables.editors),
            [{"id": numbers[e.name], "name": e.name, "judge": e.judge} for e in draft.editors],
        )
        connection.execute(insert(tables.items), [_item_row(item) for item in draft.items])
        connection.execute(insert(tables.plan), [_slot_row(slot, numbers) for slot in draft.slots])
        if draft.aside:
            connection.execute(insert(tables.aside), [asdict(entry) for entry in draft.aside])
        note(connection, actor="owner", action="created", detail=draft.title, at=now)
        tokens[""] = links.issue(connection, role="owner", editor_id=None, days=draft.link_days, at=now)
        for name, number in numbers.items():
            tokens[name] = links.issue(connection, role="editor", editor_id=number, days=draft.link_days, at=now)

    create_database(place, fill)
    return tokens


def read_study(place: Place) -> Study:
    """What the study is; no votes. Works on open studies."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return study_of(connection)


def read_progress(place: Place) -> list[EditorProgress]:
    """How far each editor is. Works on open studies and tells no choice."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return progress_of(connection, at=time.time())


def read_items(place: Place) -> list[Item]:
    """The items of a closed study, texts and systems included. Raises StudyError while it is open."""
    with closing(open_database(place)) as database, database.begin() as connection:
        _insist_closed(connection, str(place))
        return items_of(connection)


def read_closed(place: Place) -> ClosedStudy:
    """A closed study, whole: what it is, its items with texts and systems, and the votes that stand.

    Raises StudyError while the study is open (no peeking), or where seal or audit trail do not fit.
    """
    with closing(open_database(place)) as database, database.begin() as connection:
        _insist_closed(connection, str(place))
        problems = verify_of(connection)
        if problems:
            raise StudyError(f"{place}: " + " ".join(problems) + " The votes cannot be vouched for.")
        progress = progress_of(connection, at=time.time())
        return ClosedStudy(
            study=study_of(connection),
            items={item.id: item for item in items_of(connection)},
            votes=tuple(_votes_of(connection)),
            planned={one.editor.name: one.total for one in progress},
        )


def read_votes(place: Place) -> list[StudyVote]:
    """Every vote that stands in a closed study, by editor and position. Raises as `read_closed` does."""
    return list(read_closed(place).votes)


def verify(place: Place) -> list[str]:
    """What does not fit in seal and audit trail, in words; empty where all does."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return verify_of(connection)


def close_study(place: Place, *, reason: str = "") -> Study:
    """End the voting for good. Closing twice changes nothing."""
    with closing(open_database(place)) as database, database.begin() as connection:
        close_now(connection, reason=reason, at=time.time())
        return study_of(connection)


def renew_link(place: Place, editor: str | None, *, days: float) -> str:
    """A new link for an editor (the owner if None); the old ones end. Returns the token."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return renew(connection, editor, days=days, at=time.time())


def revoke_link(place: Place, editor: str | None) -> int:
    """End an editor's (or the owner's) links and sessions; returns how many links ended."""
    with closing(open_database(place)) as database, database.begin() as connection:
        number = None if editor is None else links.find_editor(connection, editor)
        return links.revoke(connection, role=_role(editor), editor_id=number, at=time.time())


def renew(connection: Connection, editor: str | None, *, days: float, at: float) -> str:
    number = None if editor is None else links.find_editor(connection, editor)
    links.revoke(connection, role=_role(editor), editor_id=number, at=at)
    return links.issue(connection, role=_role(editor), editor_id=number, days=days, at=at)


def close_now(connection: Connection, *, reason: str, at: float) -> None:
    connection.execute(select(tables.meta).where(tables.meta.c.key == "schema").with_for_update())
    if _meta(connection).get("closed_at"):
        return
    connection.execute(insert(tables.meta).values(key="closed_at", value=iso(at)))
    open_slots = sum(p.total - p.done for p in progress_of(connection, at=at))
    note(
        connection, actor="owner", action="closed", detail=f"{open_slots} showings not judged. {reason}".strip(), at=at
    )


def study_of(connection: Connection) -> Study:
    values = _meta(connection)
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


def verify_of(connection: Connection) -> list[str]:
    problems = []
    if seal_of(items_of(connection), slots_of(connection)) != _meta(connection)["seal"]:
        problems.append("The sealed plan was changed after the study was made.")
    for editor, rows in _acts(connection).items():
        broken = broken_at(rows)
        if broken is not None:
            problems.append(f"The audit trail of {editor} breaks at act {broken}.")
    return problems


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _acts(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    acts, people = tables.votes, tables.editors
    query = (
        select(people.c.name, *(acts.c[name] for name in COLUMNS), acts.c.hash)
        .join(people, people.c.id == acts.c.editor_id)
        .order_by(acts.c.editor_id, acts.c.seq)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["name"]].append(dict(row))
    return found


def _votes_of(connection: Connection) -> list[StudyVote]:
    items = {item.id: item for item in items_of(connection)}
    judges = {editor.name: editor.judge for editor in study_of(connection).editors}
    acts = _acts(connection)
    standing: dict[str, dict[str, Any]] = {}
    undone: dict[str, int] = defaultdict(int)
    for act in (act for rows in acts.values() for act in rows):
        if act["action"] == "vote":
            standing[act["showing"]] = act
        else:
            standing.pop(act["showing"], None)
            undone[act["showing"]] += 1
    return [
        _vote(slot, items[slot.item], standing[slot.showing], judges[slot.editor], undone[slot.showing])
        for slot in slots_of(connection)
        if slot.showing in standing
    ]


def _vote(slot: Slot, item: Item, act: Mapping[str, Any], judge: Any, undone: int) -> StudyVote:
    systems = {"a": item.system_a, "b": item.system_b}
    expected: Any = None
    if item.known is not None:
        expected = "left" if item.known == slot.left else "right"
    return StudyVote(
        item=item.id,
        prompt_id=item.prompt_id,
        editor=slot.editor,
        choice=act["choice"],
        left_system=systems[slot.left],
        right_system=systems[OTHER[slot.left]],
        kind=slot.kind,
        judge=judge,
        position=slot.position,
        ms=act["ms"],
        ms_source=act["ms_source"],
        ratings=orjson.loads(act["ratings"]),
        comment=act["comment"],
        expected=expected,
        undone=undone,
        at=iso(act["at"]),
        category=item.category,
        left=slot.left,
        source=act["source"],
    )


def _role(editor: str | None) -> links.Role:
    return "owner" if editor is None else "editor"


def _insist_closed(connection: Connection, place: str) -> None:
    if not _meta(connection).get("closed_at"):
        progress = progress_of(connection, at=time.time())
        done, total = sum(p.done for p in progress), sum(p.total for p in progress)
        raise StudyError(
            f"{place}: the study is open ({done} of {total} judged), and looking at votes before the end would bias "
            "it. Close it for good with assay study close, then look."
        )


def _meta(connection: Connection) -> dict[str, str]:
    return dict(connection.execute(select(tables.meta.c.key, tables.meta.c.value)).all())


def _fill_meta(connection: Connection, draft: Draft, at: float) -> None:
    systems = list(
        dict.fromkeys(s for item in draft.items if item.kind == "real" for s in (item.system_a, item.system_b))
    )
    values = {
        "schema": tables.SCHEMA,
        "id": draft.id,
        "title": draft.title,
        "created_at": iso(at),
        "seed": str(draft.seed),
        "seal": seal_of(draft.items, draft.slots),
        "systems": dumps(systems).decode(),
        "config": dumps(dict(draft.config)).decode(),
        "inputs": dumps(dict(draft.inputs)).decode(),
        "power": dumps(dict(draft.power)).decode(),
        "giveaways": dumps(list(draft.giveaways)).decode(),
    }
    connection.execute(insert(tables.meta), [{"key": key, "value": value} for key, value in values.items()])


def _item_row(item: Item) -> dict[str, Any]:
    row = asdict(item)
    return {**row, "prompt": dumps(to_json(item.prompt)).decode()}


def _slot_row(slot: Slot, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "showing": slot.showing,
        "editor_id": numbers[slot.editor],
        "position": slot.position,
        "item_id": slot.item,
        "left_side": slot.left,
        "kind": slot.kind,
    }


def _prompt(stored: str) -> Text:
    value = orjson.loads(stored)
    if isinstance(value, str):
        return value
    return tuple(Message(role=turn["role"], content=turn["content"]) for turn in value)
