"""The right to serve a study: one server a database, given back when its process ends, however it ends."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, text

from assay.errors import StudyError
from assay.study.study_address import is_url, without_password


class ServerLock:
    """The lock of a study in a file. PostgreSQL's lives on the serving connection: see `take_postgres_lock`."""

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
                "two servers on one study would not see each other's editors."
            ) from None

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def take_postgres_lock(connection: Connection, place: str) -> None:
    """The server's lock on PostgreSQL: held by this connection until it ends. Raises StudyError if another has it."""
    # The key is made of the schema's name: two studies in two schemas of one database are two locks.
    number = connection.execute(text("SELECT ('x' || substr(md5(current_schema()), 1, 15))::bit(60)::bigint")).scalar()
    if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": number}).scalar():
        raise StudyError(f"{without_password(place)}: another server serves this study already. Stop that one first.")
