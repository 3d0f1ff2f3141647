"""One command at a time writes a folder: a lock on a disk, a lease on an object store, which has no locks.

A lease is a file with a time in it, renewed while the command runs; one that was not renewed for long is of a command
that was killed, or that stood still or did not reach the store for so long: such a one writes nothing any more. Two
that start within a moment may both be refused; none goes on beside another, as long as the machines' clocks are two
minutes apart at most. Knows folders and times; knows not what is written.
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
from assay.errors import ArtifactError, AssayError, InputError

LEASE = "_lease-"
RENEWED, STALE = 30.0, 300.0  # seconds between two renewals; without one for so long a lease holds no longer
HELD = STALE / 2  # seconds after a renewal in which its owner writes; what is on its way then comes before another's


@contextmanager
def one_writer(folder: Folder) -> Iterator[Folder]:
    """The right to write a folder, which is then written through what is given here.

    Raises ArtifactError where another command has it; so does writing where the right was lost meanwhile.
    """
    if isinstance(folder, LocalFolder):
        with _locked(folder.path):
            yield folder
    else:
        with _leased(folder) as held:
            yield held


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


class LeasedFolder:
    """A folder that is written only while its lease surely holds."""

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self.address, self._folder, self._clock = folder.address, folder, clock
        self.lease = f"{LEASE}{secrets.token_hex(8)}.json"
        self._since = clock()

    def renew(self) -> bool:
        """Say that the command runs; False where it is too late for that, since another may have begun."""
        now = self._clock()
        if now - self._since >= HELD:
            return False
        self._folder.write(self.lease, orjson.dumps({"host": socket.gethostname(), "time": now}))
        self._since = now
        return True

    def names(self) -> list[str]:
        return self._folder.names()

    def read(self, name: str) -> bytes:
        return self._folder.read(name)

    def write(self, name: str, body: bytes) -> None:
        self._refuse_lost()
        self._folder.write(name, body)

    def delete(self, name: str) -> None:
        self._refuse_lost()
        self._folder.delete(name)

    def _refuse_lost(self) -> None:
        if self._clock() - self._since >= HELD:
            raise ArtifactError(
                f"{self.address}: the lease was not renewed for {HELD:.0f} seconds, so that another command may write "
                "there by now. What is finished is kept there, and the same command goes on."
            )


@contextmanager
def _leased(folder: Folder, clock: Callable[[], float] = time.time) -> Iterator[Folder]:
    mine = LeasedFolder(folder, clock)
    mine.renew()
    try:
        # Written before the others are looked for: of two that start at once, each sees the other or is seen.
        for other in [name for name in folder.names() if name.startswith(LEASE) and name != mine.lease]:
            _refuse_held(folder, other, clock())
        ended = threading.Event()

        def keep() -> None:
            holds = True
            while holds and not ended.wait(RENEWED):
                with suppress(AssayError, OSError):  # a store that does not answer now may do so next time
                    holds = mine.renew()

        keeper = threading.Thread(target=keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield mine
        finally:
            ended.set()
            keeper.join()
    finally:
        with suppress(AssayError, OSError):
            folder.delete(mine.lease)


def _refuse_held(folder: Folder, name: str, now: float) -> None:
    """Raises ArtifactError for a lease that holds, or cannot be read; one that was left by a kill goes."""
    try:
        said = orjson.loads(folder.read(name))
        host, since = str(said["host"]), now - float(said["time"])
    except InputError:
        return  # given up this moment
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ArtifactError(
            f"{folder.address}: {name} is the lease of another command, and holds no time (half written?). Give the "
            "command again; if it stands there still, no command runs that writes it: delete it."
        ) from None
    if since < STALE:
        raise ArtifactError(
            f"{folder.address}: a command on {host} writes it, and said so {max(0, since):.0f} seconds ago. Wait for "
            f"it; if it was killed, its lease ends after {STALE:.0f} seconds, or delete {name}."
        )
    folder.delete(name)
