"""A saved model as a Scorer: its own rewards, each row once, nothing cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.models.resolve import folder_fingerprint
from assay.records import Candidates, Message, Pair
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.protocol import Reward, Scorer, Unscored
from assay.scorers.scored_pairs import score_pairs
from tests.support import saved_models
from tests.support.saved_models import LONG


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("scorer"))


def groups() -> list[Candidates]:
    return [
        Candidates(id="a", prompt="How do I get a refund?", answers=("No.", "Press refund.", "No.")),
        Candidates(id="b", prompt=(Message(role="user", content="May I?"),), answers=("Yes.",)),
    ]


def test_rewards_are_the_model_s_own(saved: Path) -> None:
    scorer = LocalScorer(saved)
    assert isinstance(scorer, Scorer)
    found = scorer.score(groups())
    model = RewardModel.load(saved)
    expected = model.score([model.encode(group.prompt, answer) for group in groups() for answer in group.answers])
    values = [result.value for results in found for result in results if isinstance(result, Reward)]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert [len(results) for results in found] == [3, 1]
    assert found[0][0] == found[0][2]
    assert scorer.fingerprint == folder_fingerprint(saved)


def test_nothing_to_score_loads_no_model(tmp_path: Path) -> None:
    assert LocalScorer(tmp_path / "none").score([]) == []


def test_pairs_under_one_prompt(saved: Path) -> None:
    scorer = LocalScorer(saved)
    pairs = [Pair(id=str(n), prompt="p", chosen=a, rejected=b) for n, (a, b) in enumerate((("x", "y"), ("y", "z")))]
    first, second = score_pairs(scorer, pairs)
    assert first.rejected == second.chosen


def test_what_cannot_be_read_whole_has_its_reason_in_its_place(saved: Path) -> None:
    long = Candidates(id="long", prompt="p", answers=("x", LONG))
    tool = Candidates(id="tool", prompt=(Message(role="tool", content="p"),), answers=("x",))
    (short, cut), (yes, press, no), (refused,) = LocalScorer(saved).score([long, groups()[0], tool])
    assert isinstance(cut, Unscored)
    assert cut.reason.endswith("tokens with its prompt; the model reads 128")
    assert isinstance(refused, Unscored)
    assert "no tools" in refused.reason
    assert all(isinstance(result, Reward) for result in (short, yes, press, no))
    assert not cut.not_finite


def test_each_row_is_rendered_once(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a row cannot be scored, and where several groups hold it."""
    scorer = LocalScorer(saved)
    encode, rows = scorer.reward_model.renderer.encode_rows, []
    monkeypatch.setattr(
        scorer.reward_model.renderer, "encode_rows", lambda texts: (rows.extend(texts), encode(texts))[1]
    )
    scorer.score([*groups(), Candidates(id="c", prompt="How do I get a refund?", answers=("No.", LONG))])
    assert len(rows) == len(set(rows)) == 4


def test_passes_change_time_and_not_rewards(saved: Path) -> None:
    plain = LocalScorer(saved, passes=Passes(micro_tokens=32, sharing="off", device="cpu")).score(groups())
    for one, other in zip(plain, LocalScorer(saved).score(groups()), strict=True):
        assert [r.value for r in one] == pytest.approx([r.value for r in other], abs=1e-5)
