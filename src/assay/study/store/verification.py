"""Says whether a study is still what was made and judged: the seal of its plan, the chain of each editor's acts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing

from sqlalchemy import Connection, select

from assay.artifacts.files import sha256_json
from assay.records import to_json
from assay.study.store.database import open_database, tables
from assay.study.store.open_study import items_of, meta_of, slots_of
from assay.study.store.votes import COLUMNS, Act, broken_at
from assay.study.study_address import Place
from assay.study.study_records import Item, Slot


def verify(place: Place) -> list[str]:
    """What does not fit in seal and audit trail, in words; empty where all does."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return verify_of(connection)


def verify_of(connection: Connection) -> list[str]:
    problems = []
    if seal(items_of(connection), slots_of(connection)) != meta_of(connection)["seal"]:
        problems.append("The sealed plan was changed after the study was made.")
    for editor, trail in trails_of(connection).items():
        broken = broken_at(trail)
        if broken is not None:
            problems.append(f"The audit trail of {editor} breaks at act {broken}.")
    return problems


def seal(items: Sequence[Item], slots: Sequence[Slot]) -> str:
    """`sha256:...` of everything editors will see and which side it stands on; stored, and checked when read."""
    return sha256_json(
        {
            # Sorted, because a database gives rows in whatever order it likes.
            "items": [
                [i.id, i.prompt_id, to_json(i.prompt), i.answer_a, i.answer_b, i.system_a, i.system_b, i.kind, i.known]
                for i in sorted(items, key=lambda item: item.id)
            ],
            "plan": [
                [s.editor, s.position, s.showing, s.item, s.left, s.kind]
                for s in sorted(slots, key=lambda slot: (slot.editor, slot.position))
            ],
        }
    )


def trails_of(connection: Connection) -> dict[str, list[tuple[Act, str]]]:
    """Every editor's acts with their hashes, by editor's name, in the order they were written."""
    acts, people = tables.votes, tables.editors
    query = (
        select(people.c.name, *(acts.c[name] for name in COLUMNS), acts.c.hash)
        .join(people, people.c.id == acts.c.editor_id)
        .order_by(acts.c.editor_id, acts.c.seq)
    )
    found: dict[str, list[tuple[Act, str]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["name"]].append((Act(**{name: row[name] for name in COLUMNS}), row["hash"]))
    return found
