"""A reward model that has been asked before: rewards that stand in a file are taken from it.

What is made of one model (an ensemble, a correction) is held against it on the same answers, and would run it anew for
each. Knows a model and its file; knows not who asked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from assay.records import Candidates
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.protocol import Scored
from assay.scorers.reward_store import RewardStore, Row


class RememberingScorer(LocalScorer):
    """Scores as LocalScorer does, and runs the model only for answers that do not stand in `file`.

    keeps: whether what it runs is written there; of several processes that read the file, none may. The file is read
    once, at the first use.
    """

    def __init__(self, model: Path | str, file: Path, *, keeps: bool, passes: Passes | None = None) -> None:
        super().__init__(model, passes=passes)
        self.file, self.keeps = file, keeps

    @cached_property
    def store(self) -> RewardStore:
        return RewardStore(self.file, self.fingerprint)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        found: dict[Row, Scored] = {}
        unknown: list[Candidates] = []
        for group in groups:
            known = {answer: self.store.get((group.prompt, answer)) for answer in group.answers}
            found |= {(group.prompt, answer): one for answer, one in known.items() if one is not None}
            left = tuple(answer for answer, one in known.items() if one is None)
            if left:
                unknown.append(Candidates(id=group.id, prompt=group.prompt, answers=left, category=group.category))
        fresh: dict[Row, Scored] = {}
        for group, results in zip(unknown, super().score(unknown) if unknown else [], strict=True):
            fresh.update(zip(((group.prompt, answer) for answer in group.answers), results, strict=True))
        if self.keeps:
            self.store.add(fresh)
        found |= fresh
        return [tuple(found[group.prompt, answer] for answer in group.answers) for group in groups]
