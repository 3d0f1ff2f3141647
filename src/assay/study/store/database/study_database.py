"""Opens or makes the one database of a study, a SQLite file or PostgreSQL, and gives durable transactions on it.

What the database cannot do is said in words that tell what to do. Knows connections and versions; knows no votes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from assay.errors import StudyError
from assay.study.store.database import tables
from assay.study.store.database.postgres import SCHEMES, error_text, is_conflict, is_passing, postgres_engine
from assay.study.study_address import Place, is_url, without_password

BUSY_MS = 5_000


class StudyUnavailableError(StudyError):
    """The database cannot be written or reached just now (full disk, server down); nothing acknowledged is lost."""


class StudyConflictError(StudyUnavailableError):
    """Another server of the study wrote the same editor's act first: done again, the transaction sees it."""


class Database:
    """Transactions on a study's database; one connection where `hold` is "one", a fresh one each time otherwise."""

    def __init__(self, place: Place, *, hold: Literal["one", "none"] = "none") -> None:
        self.place = str(place)
        self.engine = _engine(self.place, hold=hold)
        self.dialect: str = self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction, durable when the block ends. Raises StudyUnavailableError where the database cannot do it."""
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise self.explain(error) from error
        except OSError as error:
            if not is_url(self.place):
                raise
            # The driver may hand on a socket's error as it is; nobody knows whether that connection is whole.
            self.engine.dispose()
            raise StudyUnavailableError(
                f"{without_password(self.place)}: the database does not answer ({error}). Try again in a moment."
            ) from error

    def explain(self, error: SQLAlchemyError) -> StudyError:
        """A database error as a sentence that says what to do."""
        code, said = error_text(error.orig if isinstance(error, DBAPIError) else error)
        cause = said.strip().splitlines()
        reason = cause[0] if cause else type(error).__name__
        place = without_password(self.place)
        if is_conflict(code):
            return StudyConflictError(f"{place}: another server was faster ({reason}). Try again in a moment.")
        if "full" in reason or "No space" in reason or "disk I/O error" in reason:
            return StudyUnavailableError(
                f"{place}: the disk is full or cannot be written ({reason}). Nothing that was acknowledged is lost. "
                "Free space; the study goes on by itself."
            )
        if "locked" in reason:
            return StudyUnavailableError(f"{place}: another program holds the database ({reason}). Try again.")
        if "not a database" in reason or "malformed" in reason:
            return StudyError(f"{place}: not a study database, or damaged ({reason}). Restore it from a copy.")
        if "append-only" in reason:
            return StudyError(f"{place}: {reason}.")
        if not isinstance(error, OperationalError | InterfaceError) and not is_passing(code):
            return StudyError(f"{place}: the database refused this ({reason}).")
        return StudyUnavailableError(f"{place}: the database does not answer ({reason}). Try again in a moment.")

    def close(self) -> None:
        self.engine.dispose()


def open_database(place: Place, *, hold: Literal["one", "none"] = "none") -> Database:
    """An existing study's database. Raises StudyError if there is none, or if a newer assay wrote it."""
    if not is_url(place) and not Path(place).is_file():
        raise StudyError(f"{place}: no such study. Make one with assay study create --out {place}.")
    database = Database(place, hold=hold)
    try:
        with database.begin() as connection:
            check_version(connection, without_password(place))
    except BaseException:
        database.close()
        raise
    return database


def check_version(connection: Connection, place: str) -> None:
    """Raises StudyError unless this is a study of the version this program reads."""
    if not inspect(connection).has_table(tables.meta.name):
        raise StudyError(f"{place}: holds no study. Make one with assay study create.")
    found = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "schema")).scalar()
    if found != tables.SCHEMA:
        raise StudyError(
            f'{place}: has schema "{found}"; this assay reads "{tables.SCHEMA}". It was left untouched. '
            "Use the version of assay that made it, or a newer one."
        )


def create_database(place: Place, fill: Callable[[Connection], None]) -> None:
    """Make the tables and `fill` them, all or nothing. Raises StudyError if a study is there already."""
    shown = without_password(place)
    if is_url(place):
        database = Database(place)
        with contextlib.closing(database), database.begin() as connection:
            if inspect(connection).has_table(tables.meta.name):
                raise StudyError(
                    f"{shown}: holds a study already. Use another database, or another schema by "
                    "?options=-csearch_path%3DNAME."
                )
            tables.create_all(connection)
            fill(connection)
        return
    target = Path(place)
    if target.exists():
        raise StudyError(f"{target}: exists already and is left as it is. Give --out another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        database = Database(temporary)
        with contextlib.closing(database), database.begin() as connection:
            tables.create_all(connection)
            fill(connection)
        with contextlib.closing(sqlite3.connect(temporary)) as plain:
            # What was filled in stands in the write-ahead log still, and only the main file is linked into place.
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        temporary.chmod(0o600)
        os.link(temporary, target)  # fails where another create was faster; rename would overwrite it
    except FileExistsError:
        raise StudyError(f"{target}: exists already and is left as it is. Give --out another name.") from None
    finally:
        for suffix in ("", "-wal", "-shm"):
            temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)


def _engine(place: str, *, hold: Literal["one", "none"]) -> Engine:
    pool = StaticPool if hold == "one" else NullPool
    if is_url(place):
        scheme = place.split("://", 1)[0]
        if scheme not in SCHEMES:
            raise StudyError(f"{scheme}://: studies live in a SQLite file or in postgresql://user@host/database.")
        return postgres_engine(place, hold=hold)
    engine = create_engine(f"sqlite:///{place}", poolclass=pool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _sqlite_begin, not by the driver's guess
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # WAL with NORMAL may lose the last commits on power loss
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # The write lock at once: a transaction that reads first and writes later could find that another wrote in between,
    # and SQLite then refuses it without waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
