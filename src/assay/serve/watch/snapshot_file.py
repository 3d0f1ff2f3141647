"""Served scores as a file, line by line, where the user asked for it: one file a model, and what it is beside it.

Of a name that comes again the first line stays: a file of scores has each name once. A disk that is full ends the file
and nothing else. Knows lines; knows no request.
"""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import dumps
from assay.artifacts.snapshot_body import SnapshotBody
from assay.errors import InputError
from assay.serve.watch.model_watch import now
from assay.serve.watch.snapshot_groups import Line
from assay.version import __version__

SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPlan:
    """Where served scores go, as the user asked. texts: with prompts and answers."""

    path: Path
    texts: bool = False

    def check(self) -> None:
        """Raises InputError for a path that no file of scores can be made at; the file is made, readable by its owner
        alone."""
        if self.path.suffix not in SUFFIXES:
            raise InputError(f"{self.path}: a snapshot is a file of JSON lines. Call it {self.path.stem}.jsonl.")
        made(self.path)

    @property
    def about(self) -> Path:
        return about(self.path)

    def tidy(self) -> None:
        """Take the file away again where serving never began, so that the next try finds its name free."""
        if not self.about.exists():
            self.path.unlink(missing_ok=True)

    def next_path(self) -> Path:
        """The first name that is free, for another model: FILE-2.jsonl and on."""
        number = 2
        while True:
            path = self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")
            if not path.exists():
                return path
            number += 1


def about(path: Path) -> Path:
    """The file beside a snapshot that says what it is."""
    return path.with_suffix(".about.json")


def made(path: Path) -> None:
    """An empty file that was not there. Raises InputError."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise InputError(
            f"{path} is there already, and scores of one serving do not go behind those of another. Give a new name."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: no snapshot can be written there: {error.strerror}.") from None


class SnapshotFile:
    """The file of one model. Used from one thread."""

    def __init__(self, path: Path, *, model: str, fingerprint: str, texts: bool, most: int) -> None:
        self.path, self.model, self.fingerprint, self.texts, self.most = path, model, fingerprint, texts, most
        self.groups = self.answers = self.repeats = self.left_out = 0
        self.skipped = 0  # groups that the server had no room to hand on, counted by who answers
        self.why: str | None = None
        self.began, self.ended = now(), ""
        self._names: set[str] = set()
        self._unnamed = 0  # groups that were named here

    def write(self, groups: Sequence[tuple[str | None, Line]]) -> None:
        """Add groups in their order. What cannot be written is counted, with the first reason."""
        lines: dict[str, bytes] = {}
        answers = 0
        for given, line in groups:
            name = given if given is not None else self._next_name(lines)
            if name in self._names or name in lines:
                self.repeats += 1
            elif self.why is not None or self.groups + len(lines) >= self.most:
                self.leave_out(1, f"serve.watch.snapshot_groups is {self.most}")
            else:
                lines[name] = dumps({**line, "id": name}) + b"\n"
                answers += len(line["scores"]) if isinstance(line["scores"], list) else 0
        if not lines:
            return
        try:
            self._append(b"".join(lines.values()))
        except OSError as error:
            self.leave_out(len(lines), f"it could not be written: {error.strerror}")
            return
        self._names.update(lines)
        self.groups += len(lines)
        self.answers += answers

    def _next_name(self, taken: Container[str]) -> str:
        """A name for a group that has none: a client may have given any, those of an earlier snapshot among them."""
        while True:
            self._unnamed += 1
            name = f"served-{self._unnamed}"
            if name not in self._names and name not in taken:
                return name

    def _append(self, data: bytes) -> None:
        """All of it, or the file is as it was: half a line would spoil all that stand before it."""
        # Without a buffer, which would try to write its rest once more before anything is cut off.
        with self.path.open("r+b", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[stream.write(rest) :]
            except OSError:
                stream.truncate(end)
                raise

    def leave_out(self, groups: int, why: str) -> None:
        self.left_out += groups
        self.why = self.why or why

    def tell(self, *, ended: bool = False) -> None:
        """Write what the file is beside it. Raises OSError."""
        if ended:
            self.ended = self.ended or now()  # it is told again at each later swap, with what came late
        self.body.write(about(self.path))

    @property
    def body(self) -> SnapshotBody:
        slow = "they came faster than they were written" if self.skipped else None
        return SnapshotBody(
            file=self.path.name, model=self.model, fingerprint=self.fingerprint,
            texts="prompts and answers" if self.texts else "none", groups=self.groups, answers=self.answers,
            repeats=self.repeats, left_out=self.left_out + self.skipped, why=self.why or slow, began=self.began,
            ended=self.ended or None, assay_version=__version__,
        )  # fmt: skip
