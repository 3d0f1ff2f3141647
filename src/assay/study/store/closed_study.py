"""Reads a study after its end, whole: items with texts and systems, and the votes that stand. Refuses an open one."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from typing import Literal

import orjson
from sqlalchemy import Connection

from assay.errors import StudyError
from assay.study.store.database import open_database
from assay.study.store.open_study import iso, items_of, meta_of, progress_of, slots_of, study_of
from assay.study.store.verification import trails_of, verify_of
from assay.study.store.votes import Act
from assay.study.study_address import Place, without_password
from assay.study.study_records import OTHER, ClosedStudy, EditorKind, Item, Side, Slot, StudyVote


def read_closed(place: Place) -> ClosedStudy:
    """A closed study, whole: what it is, its items with texts and systems, and the votes that stand.

    Raises StudyError while the study is open (no peeking), or where seal or audit trail do not fit.
    """
    with closing(open_database(place)) as database, database.begin() as connection:
        _insist_closed(connection, place)
        problems = verify_of(connection)
        if problems:
            raise StudyError(f"{without_password(place)}: " + " ".join(problems) + " The votes cannot be vouched for.")
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


def _votes_of(connection: Connection) -> list[StudyVote]:
    items = {item.id: item for item in items_of(connection)}
    kinds = {editor.name: editor.judge for editor in study_of(connection).editors}
    standing: dict[str, Act] = {}
    undone: dict[str, int] = defaultdict(int)
    for act in (act for trail in trails_of(connection).values() for act, _ in trail):
        if act.action == "vote":
            standing[act.showing] = act
        else:
            standing.pop(act.showing, None)
            undone[act.showing] += 1
    return [
        _vote(slot, items[slot.item], standing[slot.showing], kinds[slot.editor], undone[slot.showing])
        for slot in slots_of(connection)
        if slot.showing in standing
    ]


def _vote(slot: Slot, item: Item, act: Act, judge: EditorKind, undone: int) -> StudyVote:
    assert act.choice is not None  # the table insists: a vote has a choice
    systems: Mapping[Side, str] = {"a": item.system_a, "b": item.system_b}
    expected: Literal["left", "right"] | None = None
    if item.known is not None:
        expected = "left" if item.known == slot.left else "right"
    return StudyVote(
        item=item.id,
        prompt_id=item.prompt_id,
        editor=slot.editor,
        choice=act.choice,
        left_system=systems[slot.left],
        right_system=systems[OTHER[slot.left]],
        kind=slot.kind,
        judge=judge,
        position=slot.position,
        ms=act.ms,
        ms_source=act.ms_source,
        ratings=orjson.loads(act.ratings),
        comment=act.comment,
        expected=expected,
        undone=undone,
        at=iso(act.at),
        category=item.category,
        left=slot.left,
        source=act.source,
    )


def _insist_closed(connection: Connection, place: Place) -> None:
    if not meta_of(connection).get("closed_at"):
        progress = progress_of(connection, at=time.time())
        done, total = sum(p.done for p in progress), sum(p.total for p in progress)
        raise StudyError(
            f"{without_password(place)}: the study is open ({done} of {total} judged), and looking at votes before the "
            "end would bias it. Close it for good with assay study close, then look."
        )
