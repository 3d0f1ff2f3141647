"""Rewards that were had before, on disk by content: a run that was interrupted asks only for what is missing.

One SQLite file in write-ahead mode: each reward is there once it was had, whatever kills the process a moment later,
and several processes may use it at once. It holds hashes and numbers: no text, no address, no credential.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.artifacts.files import dumps
from assay.errors import InputError

FILE = "rewards-1.sqlite"  # the number is the table's form
AT_ONCE = 500  # keys in one question; SQLite takes 32,766 since 3.32 and 999 before
WAIT = 30.0  # seconds for another process's write


def content_key(space: str, sent: object) -> bytes:
    """The key of a row. space: fingerprint of all else the reward depends on. sent: the row as it is sent."""
    return hashlib.sha256(dumps([space, sent])).digest()


class RewardCache:
    """An open cache. add: kept at once. known: those of the keys that are there."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection, self.path = connection, path

    def known(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        found: dict[bytes, float] = {}
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            with _told(self.path):
                rows = self.connection.execute(f"SELECT key, reward FROM rewards WHERE key IN ({marks})", part)
                found.update(rows.fetchall())
        return found

    def add(self, key: bytes, reward: float) -> None:
        with _told(self.path):
            self.connection.execute("INSERT OR REPLACE INTO rewards VALUES (?, ?)", (key, reward))


@contextmanager
def opened_cache(folder: Path | None) -> Iterator[RewardCache | None]:
    """The cache in a folder, made where there is none; None without one. Raises InputError if it cannot be used."""
    if folder is None:
        yield None
        return
    path = folder / FILE
    with _told(path):
        folder.mkdir(parents=True, exist_ok=True)
        # Statements are committed one by one (isolation_level None). In write-ahead mode that costs no fsync: the
        # system has the bytes, which outlive the process and not a power cut. One thread at a time uses it.
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        with _told(path):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS rewards (key BLOB PRIMARY KEY, reward REAL NOT NULL) WITHOUT ROWID"
            )
        yield RewardCache(connection, path)
    finally:
        connection.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            f"{path}: the cache of rewards cannot be used ({error}). Remove it, name another folder with --set "
            "remote.cache=FOLDER, or do without: --set remote.cache=off."
        ) from None
