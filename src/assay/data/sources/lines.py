"""A file's bytes -> its lines with their numbers: unpacked, without a byte order mark, none longer than LINE_LIMIT.

Whatever the bytes, memory stays within a few LINE_LIMIT. Knows bytes and lines; knows not what stands in one.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from assay.errors import InputError

LINE_LIMIT = 16 * 2**20  # bytes of one line; the rest of a longer one is skipped and the row rejected
BOM = b"\xef\xbb\xbf"
WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16 and UTF-32


def written(path: Path) -> str:
    """A path as text that can be written; file names need not be UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked where they start as gzip does. Raises InputError if they cannot be had."""
    try:
        with path.open("rb") as raw:
            # By the bytes and not by the name: a file called .jsonl may be packed, and one called .gz may have been
            # unpacked on its way here.
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            yield io.BufferedReader(stream, 2**20) if packed else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: the gzip data is cut off or damaged ({error}). Nothing after that point can be read: "
            "fetch the file again, or unpack what there is with `gzip -dc` and check that."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


class Lines:
    """Lines of a stream with their numbers, none longer than LINE_LIMIT; an iterator that survives what it raises.

    `number` is the last line's, from 1. Raises LongLineError in place of a line that is too long, which is skipped.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream, self.name, self.number = stream, name, 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> bytes:
        line = self.stream.readline(LINE_LIMIT + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            if line.startswith(WIDE):
                raise InputError(f"{self.name} is UTF-16 or UTF-32. Convert it: iconv -f UTF-16 -t UTF-8 {self.name}")
            line = line.removeprefix(BOM)
        if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
            size = len(line)
            while (more := self.stream.readline(2**20)) and not more.endswith(b"\n"):
                size += len(more)
            raise LongLineError(size + len(more), line[:4096])
        return line


class LongLineError(Exception):
    """A line longer than LINE_LIMIT."""

    def __init__(self, size: int, head: bytes) -> None:
        super().__init__(f"the line has {size:,} bytes; at most {LINE_LIMIT:,} are read")
        self.head = head
