"""Groups of candidates from a file, a folder of files or an address, one after the other, in the order of their names.

Files of a store are fetched one at a time. Pairs are not read here: the contract looks at all of them at once.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.bulk.folders import fetched, is_address, listed
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.data.sources.named_rows import KINDS
from assay.errors import InputError
from assay.policies.answer_candidates import answer_candidates, holds_answers
from assay.records import Candidates

WHOLE = "Parts are made of candidates: rows of a prompt and a list of answers, as JSON lines or Parquet."


def candidates_at(place: str, *, ignore: Iterable[str] = ()) -> Iterator[Candidates]:
    """All groups at a path or address; a row without an id is called as its line, and of several files as its file too.

    Raises InputError where there are none, and for a file that holds something else.
    """
    path = Path(place).expanduser()
    if not is_address(place) and path.is_file():
        yield from _of_file(path, None, place, ignore)
        return
    names = _names(place, path)
    if not names:
        raise InputError(f"{place}: no such file, or no file of {', '.join(sorted(KINDS))} in it. {WHOLE}")
    for name in names:
        with _here(name) as local:
            yield from _of_file(local, name.rpartition("/")[2], name, ignore)


def _names(place: str, path: Path) -> list[str]:
    """Files by path or address; hidden ones and those that begin with _ are of whoever wrote the folder."""
    if is_address(place):
        found = listed(place)
    else:
        found = [str(one) for one in sorted(path.iterdir()) if one.is_file()] if path.is_dir() else []
    files = [name for name in found if not name.rpartition("/")[2].startswith((".", "_"))]
    return [name for name in files if KINDS & set(Path(name).suffixes)]


def _of_file(path: Path, called: str | None, place: str, ignore: Iterable[str]) -> Iterator[Candidates]:
    if holds_candidates(path):
        yield from read_candidates(path, called=called, ignore=ignore)
    elif holds_answers(path):
        yield from answer_candidates(path)
    else:
        raise InputError(f"{place}: its first row is neither candidates nor an answer of assay generate. {WHOLE}")


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
