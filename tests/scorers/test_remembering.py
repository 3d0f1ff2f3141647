"""Rewards that were had stand in a file, and the model is run for the others only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.records import Candidates
from assay.render.encoder import Encoded
from assay.rewards.batch_after_batch import BatchAfterBatch
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.remembering import RememberingScorer
from tests.support import saved_models
from tests.support.saved_models import LONG


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("scorer"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the model was run on, call by call."""
    found: list[int] = []
    plain = LocalScorer.score_rows

    def counted(self: LocalScorer, rows: Sequence[Encoded], *, steady: BatchAfterBatch | None = None) -> list[Scored]:
        found.append(len(rows))
        return plain(self, rows, steady=steady)

    monkeypatch.setattr(LocalScorer, "score_rows", counted)
    return found


def group(*answers: str) -> Candidates:
    return Candidates(id="a", prompt="May I?", answers=answers, scores=tuple(1.0 for _ in answers))


def values(*rewards: Scored) -> list[float]:
    return [one.value for one in rewards if isinstance(one, Reward)]


def test_what_is_known_is_not_run_and_keeps_its_place(saved: Path, tmp_path: Path, run: list[int]) -> None:
    first = RememberingScorer(saved, tmp_path / "r.jsonl", keeps=True)
    assert first.fingerprint == LocalScorer(saved).fingerprint
    yes, cut = first.score([group("Yes.", LONG)])[0]
    assert isinstance(cut, Unscored)
    second = RememberingScorer(saved, tmp_path / "r.jsonl", keeps=False)
    assert second.score([group("Yes.", LONG)]) == [(yes, cut)]
    no, known, unread, again = second.score([group("No.", "Yes.", LONG, "No.")])[0]
    assert [one for one in run if one] == [1, 1]
    assert (known, unread, again) == (yes, cut, no)
    both = LocalScorer(saved).score([group("No.", "Yes.")])[0]
    np.testing.assert_allclose(values(no, yes), values(*both), atol=1e-5)


def test_one_that_only_reads_writes_nothing(saved: Path, tmp_path: Path, run: list[int]) -> None:
    reader = RememberingScorer(saved, tmp_path / "r.jsonl", keeps=False)
    reader.score([group("Yes.")])
    assert not (tmp_path / "r.jsonl").exists()
    RememberingScorer(saved, tmp_path / "r.jsonl", keeps=True).score([group("Yes.")])
    assert run == [1, 1]


def test_another_prompt_and_another_model_are_other_questions(saved: Path, tmp_path: Path, run: list[int]) -> None:
    other = saved_models.reward_model(tmp_path / "other", seed=1)
    for model in (saved, other):
        RememberingScorer(model, tmp_path / "r.jsonl", keeps=True).score([group("Yes.")])
    asked = Candidates(id="b", prompt="Must I?", answers=("Yes.",))
    RememberingScorer(saved, tmp_path / "r.jsonl", keeps=True).score([asked])
    assert run == [1, 1, 1]
