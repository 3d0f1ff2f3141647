"""One command at a time writes a folder: a lock on a disk, a lease on an object store, which has no locks.

A lease is a file with a time in it, renewed while the command runs; one that was not renewed for long is of a command
that was killed. Two that start within a moment may both be refused; none ever goes on beside another. Knows folders
and times; knows not what is written.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from assay.bulk.folders import Folder, LocalFolder
from assay.errors import ArtifactError, AssayError

LEASE = "_lease-"
RENEWED, STALE = 30.0, 300.0  # seconds between two renewals; without one for so long a lease holds no longer


@contextmanager
def one_writer(folder: Folder) -> Iterator[None]:
    """The right to write a folder. Raises ArtifactError where another command has it."""
    with _locked(folder.path) if isinstance(folder, LocalFolder) else _leased(folder):
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Beside the folder, which is a result and may be taken away while it is empty.
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.parent / f".{path.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ArtifactError(f"{path}: another command writes it. Wait for it, or give another --out.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _leased(folder: Folder, clock: Callable[[], float] = time.time) -> Iterator[None]:
    mine = f"{LEASE}{secrets.token_hex(8)}.json"

    def renew() -> None:
        folder.write(mine, orjson.dumps({"host": socket.gethostname(), "time": clock()}))

    renew()
    try:
        # Written before the others are looked for: of two that start at once, each sees the other or is seen.
        for other in [name for name in folder.names() if name.startswith(LEASE) and name != mine]:
            _refuse_held(folder, other, clock())
        ended = threading.Event()

        def keep() -> None:
            while not ended.wait(RENEWED):
                with suppress(AssayError, OSError):  # a store that does not answer now may do so next time
                    renew()

        keeper = threading.Thread(target=keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()
    finally:
        with suppress(AssayError, OSError):
            folder.delete(mine)


def _refuse_held(folder: Folder, name: str, now: float) -> None:
    """Raises ArtifactError for a lease that holds; one that was left by a kill goes."""
    try:
        said = orjson.loads(folder.read(name))
        host, since = str(said["host"]), now - float(said["time"])
    except (AssayError, OSError):
        return  # given up this moment
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        host, since = "an unknown machine", 0.0
    if since < STALE:
        raise ArtifactError(
            f"{folder.address}: a command on {host} writes it, and said so {max(0, since):.0f} seconds ago. Wait for "
            f"it; if it was killed, its lease ends after {STALE:.0f} seconds, or delete {name}."
        )
    folder.delete(name)
