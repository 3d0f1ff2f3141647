"""What two scorers are both made of: found through ensembles, corrections and averages, not where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.scorers.corrected import Correction, write_correction
from assay.scorers.function import FunctionScorer
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.shared_weights import shared_weights
from tests.support import saved_models


def len_of(_prompt: object, answers: Sequence[object]) -> list[int]:
    return [len(str(one)) for one in answers]


def test_rules_and_files_are_shared_by_what_they_are(tmp_path: Path) -> None:
    longest, shortest = open_scorer("baseline:longest"), open_scorer("baseline:shortest")
    assert shared_weights(longest, open_scorer("baseline:longest")) == ["baseline:longest"]
    assert shared_weights(longest, shortest) == []
    one, other = FunctionScorer(len_of), FunctionScorer(len_of)
    assert shared_weights(one, other) == ["len_of"]
    assert shared_weights(one, FunctionScorer(lambda _prompt, answers: [0.0 for _ in answers])) == []
    both = open_scorer("ensemble:baseline:longest,baseline:shortest")
    assert shared_weights(both, shortest) == ["baseline:shortest"]
    assert shared_weights(shortest, both) == ["baseline:shortest"]
    found = Correction(scorer="baseline:longest", attribute="words", at=[0.0, 1.0], value=[0.0, 1.0])
    write_correction(found, tmp_path / "c.yaml")
    assert shared_weights(open_scorer(f"corrected:{tmp_path / 'c.yaml'}"), longest) == ["baseline:longest"]


def test_a_model_is_known_again_under_another_name_and_inside_others(tmp_path: Path) -> None:
    """By its bytes: a copy of the folder, a member, one of an average; two seeds of one base are two models."""
    one, other = (saved_models.reward_model(tmp_path / str(seed), seed=seed) for seed in (0, 1))
    (tmp_path / "copy").mkdir()
    for path in one.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    model = LocalScorer(one)
    assert shared_weights(model, LocalScorer(tmp_path / "copy")) == [str(one)]
    assert shared_weights(model, LocalScorer(other)) == []
    assert shared_weights(model, open_scorer(f"averaged:{one},{other}")) == [str(one)]
    assert shared_weights(model, open_scorer(f"ensemble:{other},{tmp_path / 'copy'}")) == [str(one)]
