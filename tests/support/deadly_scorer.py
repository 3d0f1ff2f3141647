"""A scorer in a worker that waits or dies where a test wants it to: files in a folder of marks say where.

`hold-ID`: the worker that comes to this prompt writes its process into `at-ID` and waits until the file is gone.
`poison-ID`: it ends. `hang-ID`: the first that comes to it never goes on. `asked-PROCESS`: the prompts that it was
asked about, a line each.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assay.bulk.held_work import HeldScorers, ScorerOpening
from assay.records import Candidates
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Answered, Scorer


class DeadlyScorer:
    def __init__(self, scorer: Scorer, marks: Path) -> None:
        self.scorer, self.marks = scorer, marks
        self.name = scorer.name

    @property
    def fingerprint(self) -> str:
        return self.scorer.fingerprint

    def score(self, groups: Sequence[Candidates]) -> list[Answered]:
        for group in groups:
            with (self.marks / f"asked-{os.getpid()}").open("a") as stream:
                stream.write(f"{group.id}\n")
            if (self.marks / f"poison-{group.id}").exists():
                os.kill(os.getpid(), signal.SIGKILL)
            with suppress(FileNotFoundError):
                (self.marks / f"hang-{group.id}").unlink()
                time.sleep(10**6)
            if (hold := self.marks / f"hold-{group.id}").exists():
                note = self.marks / f".at-{group.id}-{os.getpid()}"
                note.write_text(str(os.getpid()))
                note.replace(self.marks / f"at-{group.id}")
                while hold.exists():
                    time.sleep(0.01)
        return list(self.scorer.score(groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlyOpening(ScorerOpening):
    marks: str

    def scorers(self) -> dict[int, Scorer]:
        return {0: DeadlyScorer(open_scorer(self.scorer), Path(self.marks))}

    def open(self) -> HeldScorers:
        return HeldScorers(self.scorers())
