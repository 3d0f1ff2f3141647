"""The ledger of looks: JSON lines that only grow, one a look, held by one process at a time. Decides nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from filelock import FileLock
from pydantic import ValidationError

from assay.artifacts.files import dumps
from assay.artifacts.gate_body import Word
from assay.artifacts.looks_body import LookLine
from assay.errors import ArtifactError
from assay.gate.looks import Look, LookPlan, take

LEDGER = "looks.jsonl"


class LookLedger:
    """Looks that were taken, by key; the last line of a key counts. Hold it with `held`."""

    def __init__(self, path: Path) -> None:
        """Raises ArtifactError for a line that is none of a ledger: a look that is forgotten would be spent twice."""
        self.path = path
        self.lines: dict[str, LookLine] = {}
        raw = path.read_bytes() if path.exists() else b""
        whole, _, torn = raw.rpartition(b"\n")
        if torn:  # of a process that was killed while it wrote; its verdict was never shown
            with path.open("r+b") as file:
                file.truncate(len(raw) - len(torn))
        for number, line in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                read = LookLine.model_validate(orjson.loads(line))
            except (ValidationError, ValueError) as error:
                raise ArtifactError(
                    f"{path}:{number} is no look ({str(error).splitlines()[0]}). Restore the file, or plan anew with "
                    "another ledger and held-out pairs that nobody looked at."
                ) from None
            self.lines[read.key] = read

    def next(self, key: str, plan: LookPlan | None) -> Look:
        """The look at what `key` names: its own number if it was taken before, else the number after the last."""
        others = [line for line in self.lines.values() if line.key != key]
        before = self.lines.get(key)
        number = before.look if before else max((line.look for line in others), default=0) + 1
        # A look that was taken before later ones is not robbed by what these have spent since.
        spent = sum(line.share for line in others if line.look < number)
        return take(number, plan, spent=spent, ledger=self.path)

    def record(self, key: str, look: Look, verdict: Word, *, run: str) -> None:
        """Put the look down, durably. The same look again with nothing new adds no line."""
        line = LookLine(
            look=look.number,
            key=key,
            **look.to_body().model_dump(include={"planned", "spending", "share"}),
            verdict=verdict,
            run=run,
            taken=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        same = {"taken": "", "run": ""}
        before = self.lines.get(key)
        if before is not None and before.model_copy(update=same) == line.model_copy(update=same):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(dumps(line.model_dump(mode="json")) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines[key] = line


@contextmanager
def held(path: Path) -> Iterator[LookLedger]:
    """The ledger, while no other process may add a look to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield LookLedger(path)
