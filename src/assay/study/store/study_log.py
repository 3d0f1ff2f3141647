"""The study's own log: one appended line for each thing done to it. Knows no vote."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from assay.study.store.database import tables


def note(connection: Connection, *, actor: str, action: str, detail: str, at: float) -> None:
    """Append one line to the log."""
    connection.execute(insert(tables.log).values(at=at, actor=actor, action=action, detail=detail))
