"""Files of rows at a path or address, one after the other, in the order of their names, each on this disk.

Files of a store are fetched one at a time. Knows places; knows not what stands in the files.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from assay.bulk.folders import fetched, is_address, listed
from assay.data.sources.named_rows import KINDS
from assay.errors import InputError


class DataFile(NamedTuple):
    """path: where it lies on this disk now. called: its name where it is one of several, else None."""

    path: Path
    place: str
    called: str | None


def data_files(place: str, *, wanted: str) -> Iterator[DataFile]:
    """The file at a path or address, or those of the folder there; each is there until the next is asked for.

    Raises InputError where there is none; wanted says what should be there.
    """
    path = Path(place).expanduser()
    if not is_address(place) and path.is_file():
        yield DataFile(path, place, None)
        return
    names = _names(place, path)
    if not names:
        raise InputError(f"{place}: no such file, or no file of {', '.join(sorted(KINDS))} in it. {wanted}")
    for name in names:
        with _here(name) as local:
            yield DataFile(local, name, name.rpartition("/")[2])


def _names(place: str, path: Path) -> list[str]:
    """Files by path or address; hidden ones and those that begin with _ are of whoever wrote the folder."""
    if is_address(place):
        found = listed(place)
    else:
        found = [str(one) for one in sorted(path.iterdir()) if one.is_file()] if path.is_dir() else []
    files = [name for name in found if not name.rpartition("/")[2].startswith((".", "_"))]
    # By the end of its name: answers.jsonl.part is what a command that runs, or was killed, has of answers.jsonl.
    return [name for name in files if Path(name.removesuffix(".gz")).suffix in KINDS]


@contextmanager
def _here(name: str) -> Iterator[Path]:
    """A file on this disk, fetched for as long as the context lasts where it lies elsewhere."""
    if not is_address(name):
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="assay-fetched-") as folder:
        local = Path(folder) / name.rpartition("/")[2]
        with fetched(name) as stream, local.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 2**20)
        yield local
