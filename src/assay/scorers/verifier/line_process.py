"""A program that answers lines with lines, in a process of its own: a time limit a line, killed with its children.

Writing, reading and the program's complaints go through one loop with one deadline, so that a program which does not
read, does not write, or never ends a line costs its time limit and nothing else. Knows bytes; knows no verdict.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence

MOST_BYTES = 2**20  # of one line of a reply
KEPT = 4096  # bytes of the end of stderr
READ = 2**16


class ProcessFaultError(Exception):
    """The program gave no line, and why, in words that follow its name. The process is of no more use."""


class LineProcess:
    """The program, started."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that what it starts is killed with it
            bufsize=0,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._in, self._out, self._err = self.process.stdin, self.process.stdout, self.process.stderr
        for stream in (self._in, self._out, self._err):
            os.set_blocking(stream.fileno(), False)
        self._read = b""
        self._complaints = b""
        self._hears = True
        self.close = weakref.finalize(self, _end, self.process)

    def ask(self, line: bytes | None, seconds: float) -> bytes:
        """The line that answers `line`; None: the first line by itself. Raises ProcessFaultError, also for silence."""
        waiting = b"" if line is None else line + b"\n"
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if self._hears:
                selector.register(self._err, selectors.EVENT_READ)
            if waiting:
                selector.register(self._in, selectors.EVENT_WRITE)
            while b"\n" not in self._read:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ProcessFaultError(f"gave no verdict within {seconds:g} s{self._told()}")
                for key, _ in selector.select(left):
                    if key.fileobj is self._in:
                        waiting = self._write(waiting)
                        if not waiting:
                            selector.unregister(self._in)
                    elif key.fileobj is self._err:
                        if not self._hear():
                            selector.unregister(self._err)
                    else:
                        self._take()
        if waiting:
            raise ProcessFaultError("answered before it had read what it was asked")
        found, _, self._read = self._read.partition(b"\n")
        return found

    def stale(self) -> bool:
        """Whether it ended, or lines wait that answer nothing: verdicts after them would be those of other answers."""
        with contextlib.suppress(BlockingIOError):
            self._read += os.read(self._out.fileno(), READ)
        return bool(self._read.strip()) or self.process.poll() is not None

    def _write(self, waiting: bytes) -> bytes:
        try:
            return waiting[os.write(self._in.fileno(), waiting) :]
        except BlockingIOError:
            return waiting
        except BrokenPipeError:  # it does not read any more; its last words may still come
            return b""

    def _take(self) -> None:
        part = os.read(self._out.fileno(), READ)
        if not part:
            raise ProcessFaultError(self._ending())
        self._read += part
        if b"\n" not in self._read and len(self._read) > MOST_BYTES:
            raise ProcessFaultError(f"wrote a line of over {MOST_BYTES >> 20} MiB")

    def _hear(self) -> bool:
        """Keeps the end of what it complains of; False where it has closed that line."""
        with contextlib.suppress(BlockingIOError):
            part = os.read(self._err.fileno(), READ)
            self._complaints = (self._complaints + part)[-KEPT:]
            self._hears = bool(part)
        return self._hears

    def _ending(self) -> str:
        try:
            code = self.process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return f"closed its output{self._told()}"
        while self._hears:
            before = self._complaints
            if not self._hear() or self._complaints == before:
                break
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}{self._told()}"
        return f"ended with exit status {code}{self._told()}"

    def _told(self) -> str:
        """The last line of its complaints, in brackets."""
        lines = self._complaints.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" ({last[:200]})" if last else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and what it started, and forget it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
