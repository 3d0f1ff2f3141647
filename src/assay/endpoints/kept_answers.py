"""Answers that were had before, on disk by content: who was interrupted asks only for what is missing.

One SQLite file in write-ahead mode: each answer is there once it was had, whatever kills the process a moment later,
and several processes may use it at once. It holds hashes and answers: no question, no address, no credential.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock

from assay.artifacts.files import dumps
from assay.errors import InputError

V = TypeVar("V", float, str)
AT_ONCE = 500  # keys in one question; SQLite takes 32,766 since 3.32 and 999 before
WAIT = 30.0  # seconds for another process's write


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Generic[V]):
    """What is kept. file: its name, with the number of the table's form. table, column: their names in it.

    kind: float or str. way_out: what a user can do about a file that cannot be used.
    """

    file: str
    table: str
    column: str
    kind: type[V]
    way_out: str

    @property
    def declared(self) -> str:
        return f"{self.column} {'REAL' if self.kind is float else 'TEXT'} NOT NULL"


def content_key(space: str, sent: object) -> bytes:
    """The key of an answer. space: fingerprint of all else it depends on. sent: what is asked, as it is sent."""
    return hashlib.sha256(dumps([space, sent])).digest()


class KeptAnswers(Generic[V]):
    """An open cache. add: kept at once. known: those of the keys that are there."""

    def __init__(self, connection: sqlite3.Connection, path: Path, keeping: Keeping[V]) -> None:
        self.connection, self.path = connection, path
        self.keeping: Keeping[V] = keeping

    def known(self, keys: Sequence[bytes]) -> dict[bytes, V]:
        found: dict[bytes, V] = {}
        keeping = self.keeping
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            question = f"SELECT key, {keeping.column} FROM {keeping.table} WHERE key IN ({marks})"
            with _told(self.path, keeping):
                found.update(self.connection.execute(question, part).fetchall())
        return found

    def add(self, key: bytes, answer: V) -> None:
        with _told(self.path, self.keeping):
            self.connection.execute(f"INSERT OR REPLACE INTO {self.keeping.table} VALUES (?, ?)", (key, answer))


@contextmanager
def opened_answers(folder: Path, keeping: Keeping[V]) -> Iterator[KeptAnswers[V]]:
    """The cache in a folder, made where there is none. Raises InputError if it cannot be used."""
    path = folder / keeping.file
    with _told(path, keeping):
        folder.mkdir(parents=True, exist_ok=True)
        # Statements are committed one by one (isolation_level None). In write-ahead mode that costs no fsync: the
        # system has the bytes, which outlive the process and not a power cut. One thread at a time uses it.
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        # Two processes that make a file at once: SQLite does not wait where one changes the mode, it fails.
        with _told(path, keeping), FileLock(path.with_name(f".{path.name}.lock")):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            form = f"(key BLOB PRIMARY KEY, {keeping.declared}) WITHOUT ROWID"
            connection.execute(f"CREATE TABLE IF NOT EXISTS {keeping.table} {form}")
        yield KeptAnswers(connection, path, keeping)
    finally:
        connection.close()


@contextmanager
def _told(path: Path, keeping: Keeping[V]) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            f"{path}: the cache of {keeping.table} cannot be used ({error}). Remove it, or {keeping.way_out}."
        ) from None
