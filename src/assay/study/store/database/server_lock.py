"""Who may write a study's votes: given back when the process ends, however it ends.

A SQLite file has one server. On PostgreSQL servers share a study, and only an import of votes wants it for itself.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, text

from assay.errors import StudyError
from assay.study.study_address import is_url, without_password


class ServerLock:
    """The lock of a study in a file. PostgreSQL's live on the connection: `share_on_postgres`, `take_on_postgres`."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._file: sqlite3.Connection | None = None

    def take(self) -> None:
        """Raises StudyError if another server has it; does nothing for a PostgreSQL URL."""
        if is_url(self.place):
            return
        # An exclusive transaction on a file beside the study: works on every system, ends with the process.
        self._file = sqlite3.connect(f"{self.place}.server", timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            self.release()
            raise StudyError(
                f"{self.place}: another server serves this study already. Stop that one first, or open its address; "
                "a SQLite file has one server. Several share a study on PostgreSQL."
            ) from None

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def share_on_postgres(connection: Connection, place: str) -> None:
    """A server's part of the lock, held by this connection until it ends. Raises StudyError during an import."""
    if not _locked(connection, "pg_try_advisory_lock_shared"):
        raise StudyError(f"{without_password(place)}: votes are being imported into it. Wait until that is done.")


def take_on_postgres(connection: Connection, place: str) -> None:
    """The whole lock, held by this connection until it ends. Raises StudyError where a server or an import has it."""
    if not _locked(connection, "pg_try_advisory_lock"):
        raise StudyError(f"{without_password(place)}: another server serves this study already. Stop that one first.")


def _locked(connection: Connection, how: str) -> bool:
    # The key is made of the schema's name: two studies in two schemas of one database are two locks.
    number = connection.execute(text("SELECT ('x' || substr(md5(current_schema()), 1, 15))::bit(60)::bigint")).scalar()
    return bool(connection.execute(text(f"SELECT {how}(:key)"), {"key": number}).scalar())
