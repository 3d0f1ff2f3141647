"""Stores a new study, all or nothing: what it is, editors, items, the sealed plan, a link for each who may enter."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert

from assay.artifacts.files import dumps
from assay.records import to_json
from assay.study.store import links
from assay.study.store.database import create_database, tables
from assay.study.store.open_study import iso
from assay.study.store.study_log import note
from assay.study.store.verification import seal
from assay.study.study_address import Place
from assay.study.study_records import Editor, Item, SetAside, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """Everything a study consists of before its first vote."""

    id: str
    title: str
    seed: int
    config: Mapping[str, object]
    inputs: Mapping[str, str]
    power: Mapping[str, object]
    giveaways: Sequence[Mapping[str, object]]
    editors: Sequence[Editor]
    items: Sequence[Item]
    slots: Sequence[Slot]
    aside: Sequence[SetAside]
    link_days: float


def write_study(place: Place, new: NewStudy) -> dict[str, str]:
    """Store a new study, all or nothing; returns the links' tokens by editor name, the owner's under ""."""
    tokens: dict[str, str] = {}

    def fill(connection: Connection) -> None:
        now = time.time()
        _fill_meta(connection, new, now)
        numbers = {editor.name: number for number, editor in enumerate(new.editors, start=1)}
        connection.execute(
            insert(tables.editors),
            [{"id": numbers[e.name], "name": e.name, "judge": e.judge} for e in new.editors],
        )
        connection.execute(insert(tables.items), [_item_row(item) for item in new.items])
        connection.execute(insert(tables.plan), [_slot_row(slot, numbers) for slot in new.slots])
        if new.aside:
            connection.execute(insert(tables.aside), [asdict(entry) for entry in new.aside])
        note(connection, actor="owner", action="created", detail=new.title, at=now)
        tokens[""] = links.issue(connection, role="owner", editor_id=None, days=new.link_days, at=now)
        for name, number in numbers.items():
            tokens[name] = links.issue(connection, role="editor", editor_id=number, days=new.link_days, at=now)

    create_database(place, fill)
    return tokens


def _fill_meta(connection: Connection, new: NewStudy, at: float) -> None:
    systems = list(
        dict.fromkeys(s for item in new.items if item.kind == "real" for s in (item.system_a, item.system_b))
    )
    values = {
        "schema": tables.SCHEMA,
        "id": new.id,
        "title": new.title,
        "created_at": iso(at),
        "seed": str(new.seed),
        "seal": seal(new.items, new.slots),
        "systems": dumps(systems).decode(),
        "config": dumps(dict(new.config)).decode(),
        "inputs": dumps(dict(new.inputs)).decode(),
        "power": dumps(dict(new.power)).decode(),
        "giveaways": dumps(list(new.giveaways)).decode(),
    }
    connection.execute(insert(tables.meta), [{"key": key, "value": value} for key, value in values.items()])


def _item_row(item: Item) -> dict[str, object]:
    row = asdict(item)
    return {**row, "prompt": dumps(to_json(item.prompt)).decode()}


def _slot_row(slot: Slot, numbers: Mapping[str, int]) -> dict[str, object]:
    return {
        "showing": slot.showing,
        "editor_id": numbers[slot.editor],
        "position": slot.position,
        "item_id": slot.item,
        "left_side": slot.left,
        "kind": slot.kind,
    }
