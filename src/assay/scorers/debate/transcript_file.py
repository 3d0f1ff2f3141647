"""Debates in a file of JSON lines, one a debate in one order; the same debate stands there once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import filelock

from assay.artifacts.files import dumps
from assay.errors import InputError


class Transcript(TypedDict):
    """A row. verdict: which place the judge named; None, with why, where there is none."""

    fingerprint: str
    prompt: str | list[dict[str, str]]
    answer_a: str
    answer_b: str
    speeches: list[dict[str, str | int]]
    reply: str | None
    verdict: str | None
    why: str | None


def add_transcripts(path: Path, rows: Sequence[Transcript]) -> None:
    """Rows that are not there yet, at the end. Raises InputError where the file cannot be read or written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(f".{path.name}.lock")):
            before = path.read_bytes() if path.exists() else b""
            known = set(before.splitlines())
            lines = dict.fromkeys(dumps(row) for row in rows)
            # Whoever was killed while writing left half a line, which the next must not be glued to.
            torn = b"\n" if before and not before.endswith(b"\n") else b""
            with path.open("ab") as stream:
                stream.write(torn + b"".join(line + b"\n" for line in lines if line not in known))
    except OSError as error:
        raise InputError(f"{path}: transcripts cannot be kept there ({error}). Name another file.") from None
