"""Issues, renews and ends personal links, and keeps the sessions they open. Knows tokens and dates; knows no page.

A token is 256 random bits, shown once when it is made and kept only as its hash. Opening a link makes a session with a
token of its own, which lives in the cookie; revoking the link ends its sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from assay.errors import StudyError
from assay.study.store.database import open_database, tables
from assay.study.store.study_log import note
from assay.study.study_address import Place
from assay.study.study_records import EditorKind

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
    judge: EditorKind


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


def renew_link(place: Place, editor: str | None, *, days: float) -> str:
    """A new link for an editor (the owner if None); the old ones end. Returns the token."""
    with closing(open_database(place)) as database, database.begin() as connection:
        return renew(connection, editor, days=days, at=time.time())


def revoke_link(place: Place, editor: str | None) -> int:
    """End an editor's (or the owner's) links and sessions; returns how many links ended."""
    with closing(open_database(place)) as database, database.begin() as connection:
        number = None if editor is None else find_editor(connection, editor)
        return revoke(connection, role=_role(editor), editor_id=number, at=time.time())


def renew(connection: Connection, editor: str | None, *, days: float, at: float) -> str:
    number = None if editor is None else find_editor(connection, editor)
    # Old links end in the same transaction: at no time do two open.
    revoke(connection, role=_role(editor), editor_id=number, at=at)
    return issue(connection, role=_role(editor), editor_id=number, days=days, at=at)


def _role(editor: str | None) -> Role:
    return "owner" if editor is None else "editor"


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
    row = connection.execute(_GUESTS.where(links.token_hash == hash_token(token))).mappings().first()
    if row is None:
        return "none", None
    return link_state(row["revoked_at"], row["expires_at"], at), _guest(row)


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


def who(connection: Connection, session_token: str, *, role: Role, at: float) -> Guest | None:
    """The guest of a session cookie; None where it is unknown, of another role, or its link is over."""
    row = connection.execute(_WHO, {"token": hash_token(session_token), "role": role}).mappings().first()
    if row is None or link_state(row["revoked_at"], row["expires_at"], at) != "active":
        return None
    return _guest(row)


def _guest(row: RowMapping) -> Guest:
    return Guest(
        role=row["role"],
        link_id=row["id"],
        editor_id=row["editor_id"] or 0,
        editor=row["name"] or "",
        judge=row["judge"] or "human",
    )


_GUESTS = select(
    tables.links.c.id,
    tables.links.c.role,
    tables.links.c.editor_id,
    tables.links.c.expires_at,
    tables.links.c.revoked_at,
    tables.editors.c.name,
    tables.editors.c.judge,
).select_from(tables.links.outerjoin(tables.editors, tables.links.c.editor_id == tables.editors.c.id))
# Every request asks this: built once.
_WHO = _GUESTS.join(tables.sessions, tables.sessions.c.link_id == tables.links.c.id).where(
    tables.sessions.c.token_hash == bindparam("token"), tables.links.c.role == bindparam("role")
)
