"""Ends the voting of a study for good. Knows no vote, only how many showings were never judged."""

from __future__ import annotations

import time
from contextlib import closing

from sqlalchemy import Connection, insert, select

from assay.study.store.database import open_database, tables
from assay.study.store.open_study import iso, meta_of, progress_of, study_of
from assay.study.store.study_log import note
from assay.study.study_address import Place
from assay.study.study_records import Study


def close_study(place: Place, *, reason: str = "") -> Study:
    """End the voting for good. Closing twice changes nothing."""
    with closing(open_database(place)) as database, database.begin() as connection:
        close_now(connection, reason=reason, at=time.time())
        return study_of(connection)


def close_now(connection: Connection, *, reason: str, at: float) -> None:
    """Mark the study closed, once. The row locked here is the one that every vote holds shared until it is kept."""
    connection.execute(select(tables.meta).where(tables.meta.c.key == "schema").with_for_update())
    if meta_of(connection).get("closed_at"):
        return
    connection.execute(insert(tables.meta).values(key="closed_at", value=iso(at)))
    open_slots = sum(p.total - p.done for p in progress_of(connection, at=at))
    note(
        connection, actor="owner", action="closed", detail=f"{open_slots} showings not judged. {reason}".strip(), at=at
    )
