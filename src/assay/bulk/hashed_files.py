"""Files whose names say what they are of and what they hold: KEY of the work, SUM of the bytes.

    part-00000012-5f0c...-9b1e....jsonl
    stem key              sum

A file is taken for done work only when its bytes have the sum of its name: one that was half written, damaged or put
there by hand is not, whatever it is called. Two processes that do the same work to the same bits write the same file.
Knows names and bytes; knows not what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from assay.bulk.folders import Folder

SUM = 16  # hexadecimal digits of a SHA-256: against accidents, not against forgers


class HashedFiles:
    """The files of one stem and suffix in a folder; one process at a time. said: gets a line for each that is damaged.

    Opening it takes away what writing left half done under a name of its own.
    """

    def __init__(self, folder: Folder, stem: str, suffix: str, *, said: Callable[[str], None]) -> None:
        self.folder, self.stem, self.suffix, self._said = folder, stem, suffix, said
        named = re.compile(rf"{re.escape(stem)}-(.+)-([0-9a-f]{{{SUM}}}){re.escape(suffix)}")
        self._names: dict[str, list[str]] = {}
        for name in folder.names():
            if found := named.fullmatch(name):
                self._names.setdefault(found[1], []).append(name)
            elif name.startswith(f".{stem}-") and name.endswith(".tmp"):
                folder.delete(name)

    @property
    def keys(self) -> list[str]:
        """Keys that a file is named after, sorted."""
        return sorted(self._names)

    def read(self, key: str) -> bytes | None:
        """What was written under a key; None where nothing whole was. Damaged files, and all but one whole, go."""
        whole: bytes | None = None
        for name in sorted(self._names.get(key, [])):
            body = self.folder.read(name)
            if whole is None and sum_of(body) in name:
                whole = body
                continue
            why = "is there twice" if whole is not None else "does not hold what its name says (half written?)"
            self._said(f"{name} {why}: taken away")
            self._drop(key, name)
        return whole

    def write(self, key: str, body: bytes) -> str:
        """Keep `body` under a key; the file's name. It is there whole before this returns."""
        name = f"{self.stem}-{key}-{sum_of(body)}{self.suffix}"
        self.folder.write(name, body)
        for other in [one for one in self._names.get(key, []) if one != name]:
            self._drop(key, other)
        self._names[key] = [name]
        return name

    def clear(self) -> None:
        """Take all of them away."""
        for key, names in list(self._names.items()):
            for name in names:
                self._drop(key, name)

    def _drop(self, key: str, name: str) -> None:
        self.folder.delete(name)
        self._names[key] = [one for one in self._names[key] if one != name]
        if not self._names[key]:
            del self._names[key]


def sum_of(body: bytes) -> str:
    return sha256(body).hexdigest()[:SUM]
