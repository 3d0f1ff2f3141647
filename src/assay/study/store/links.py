"""Personal links and the sessions they open. Knows tokens, hashes and dates; knows no page.

A token is 256 random bits, shown once when it is made and kept only as its hash. Opening a link makes a session with a
token of its own, which lives in the cookie; revoking the link ends its sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from assay.errors import StudyError
from assay.study.store import tables
from assay.study.store.votes import note
from assay.study.study_records import JudgeKind

Role = Literal["editor", "owner"]
LinkState = Literal["active", "expired", "revoked", "none"]
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who a session belongs to."""

    role: Role
    link_id: int
    editor_id: int
    editor: str
    judge: JudgeKind


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Tokens are random and long, so a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_token(session_token: str) -> str:
    """The form token of a session: cannot be had without the cookie, and says nothing about it."""
    return hmac.new(session_token.encode(), b"assay form token", hashlib.sha256).hexdigest()[:32]


def issue(connection: Connection, *, role: Role, editor_id: int | None, days: float, at: float) -> str:
    """A new link for an editor or the owner; returns its token, which is kept nowhere."""
    token = new_token()
    connection.execute(
        insert(tables.links).values(
            role=role,
            editor_id=editor_id,
            token_hash=hash_token(token),
            created_at=at,
            expires_at=at + days * DAY,
        )
    )
    note(connection, actor="owner", action="link_issued", detail=f"{role} {editor_id or ''}".strip(), at=at)
    return token


def revoke(connection: Connection, *, role: Role, editor_id: int | None, at: float) -> int:
    """End every live link of an editor (or the owner's) and with it their sessions; returns how many."""
    links = tables.links
    ended = connection.execute(
        update(links)
        .where(links.c.role == role, links.c.editor_id.is_not_distinct_from(editor_id), links.c.revoked_at.is_(None))
        .values(revoked_at=at)
    ).rowcount
    note(connection, actor="owner", action="link_revoked", detail=f"{role} {editor_id or ''}".strip(), at=at)
    return ended


def find_editor(connection: Connection, name: str) -> int:
    """The editor's number. Raises StudyError with the names there are."""
    rows = connection.execute(select(tables.editors.c.id, tables.editors.c.name)).all()
    for number, found in rows:
        if found == name:
            return int(number)
    raise StudyError(f'No editor is called "{name}". Editors: {", ".join(found for _, found in rows)}.')


def open_link(connection: Connection, token: str, *, at: float) -> tuple[LinkState, Guest | None]:
    """Whose link this is, and whether it still opens anything."""
    links = tables.links.c
    row = connection.execute(_guests().where(links.token_hash == hash_token(token))).first()
    if row is None:
        return "none", None
    return link_state(row.revoked_at, row.expires_at, at), _guest(row)


def link_state(revoked_at: float | None, expires_at: float, at: float) -> LinkState:
    if revoked_at is not None:
        return "revoked"
    return "active" if at < expires_at else "expired"


def begin_session(connection: Connection, guest: Guest, *, at: float) -> str:
    """A new session of this link; returns the token for the cookie."""
    token = new_token()
    connection.execute(
        insert(tables.sessions).values(token_hash=hash_token(token), link_id=guest.link_id, created_at=at)
    )
    note(connection, actor=f"{guest.role} {guest.editor}".strip(), action="session_opened", detail="", at=at)
    return token


def end_session(connection: Connection, token: str) -> None:
    connection.execute(tables.sessions.delete().where(tables.sessions.c.token_hash == hash_token(token)))


def who(connection: Connection, session_token: str, *, role: Role, at: float) -> Guest | None:
    """The guest of a session cookie; None where it is unknown, of another role, or its link is over."""
    row = connection.execute(_WHO, {"token": hash_token(session_token), "role": role}).first()
    if row is None or link_state(row.revoked_at, row.expires_at, at) != "active":
        return None
    return _guest(row)


def _guests() -> Select[*tuple[Any, ...]]:
    links, editors = tables.links, tables.editors
    return select(
        links.c.id, links.c.role, links.c.editor_id, links.c.expires_at, links.c.revoked_at, editors.c.name,
        editors.c.judge,
    ).select_from(links.outerjoin(editors, links.c.editor_id == editors.c.id))  # fmt: skip


def _guest(row: Row[*tuple[Any, ...]]) -> Guest:
    return Guest(
        role=row.role, link_id=row.id, editor_id=row.editor_id or 0, editor=row.name or "", judge=row.judge or "human"
    )


# Every request asks this: built once.
_WHO = (
    _guests()
    .join(tables.sessions, tables.sessions.c.link_id == tables.links.c.id)
    .where(tables.sessions.c.token_hash == bindparam("token"), tables.links.c.role == bindparam("role"))
)
