"""Self-checks pass on sound models and fail on each defect they are for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.errors import EmptyBatchError
from assay.models.config import ModelConfig
from assay.render.encoder import Encoded
from assay.rewards import self_checks
from assay.rewards.reward_model import RewardModel
from tests.support import bases


@pytest.fixture(params=["llama", "gpt2", "bert"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> RewardModel:
    folder = bases.save(tmp_path / "base", request.param)
    return RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=64), seed=0)


def test_a_sound_model_passes(model: RewardModel, tmp_path: Path) -> None:
    rows = model.renderer.encode_many(bases.ROWS)
    model.save(tmp_path / "saved")
    model.model.train()
    checks = [
        self_checks.reload_equal(model, tmp_path / "saved", rows),
        self_checks.batch_invariance(model, rows),
        self_checks.padding_side(model, rows),
        self_checks.swap_mirrors(model, rows[:3], rows[3:]),
    ]
    assert [check.name for check in checks] == ["reload_equal", "batch_invariance", "padding_side", "swap_mirrors"]
    assert all(check.passed for check in checks), checks
    assert checks[0].tolerance == 1e-5
    assert model.model.training


def test_a_folder_with_other_weights_fails_the_reload(model: RewardModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    head = next(name for name in weights if name.startswith(("score", "classifier.weight")))
    weights[head] = weights[head] * 1.5
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    check = self_checks.reload_equal(model, tmp_path, model.renderer.encode_many(bases.ROWS))
    assert not check.passed
    assert check.worst > 1e-3
    assert "not saved" in check.meaning


def test_a_padding_token_that_ends_rows_fails(model: RewardModel) -> None:
    """The pooling trap: with pad = end marker the head reads the token before it."""
    if model.renderer.kind == "encoder":
        pytest.skip("encoders read their first token")
    rows = model.renderer.encode_many(bases.ROWS)
    shared = model.rewards(rows).detach()
    model.model.config.pad_token_id = rows[0].ids[-1]  # type: ignore[union-attr]
    assert not torch.allclose(model.rewards(rows), shared, atol=1e-3)


def test_a_mask_that_is_not_used_fails(model: RewardModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = model.renderer.encode_many(bases.ROWS)
    original = model.model.forward

    def unmasked(*args: Any, attention_mask: Any = None, **kwargs: Any) -> Any:
        return original(*args, attention_mask=torch.ones_like(attention_mask), **kwargs)

    monkeypatch.setattr(model.model, "forward", unmasked)
    if model.renderer.kind == "encoder":  # of a decoder's right padding the last token sees nothing
        assert not self_checks.batch_invariance(model, rows).passed
    assert not self_checks.padding_side(model, rows).passed


class Sided(RewardModel):
    """Rewards depend on the place in the call, as when chosen rows come first."""

    def score(self, encoded: Sequence[Encoded], **_: Any) -> Any:  # type: ignore[override]
        return -np.arange(len(encoded), dtype=np.float32)


class Flat(RewardModel):
    def score(self, encoded: Sequence[Encoded], **_: Any) -> Any:  # type: ignore[override]
        return np.zeros(len(encoded), dtype=np.float32)


def test_rewards_by_side_do_not_mirror_and_ties_are_counted(model: RewardModel) -> None:
    rows = model.renderer.encode_many(bases.ROWS)
    sided = self_checks.swap_mirrors(Sided(model.model, model.renderer), rows[:3], rows[3:])
    assert (sided.passed, sided.worst) == (False, 1.0)
    flat = self_checks.swap_mirrors(Flat(model.model, model.renderer), rows[:3], rows[3:])
    assert (flat.passed, flat.worst) == (True, 0.0)


def test_rewards_that_are_no_number_fail(model: RewardModel) -> None:
    with torch.no_grad():
        next(p for n, p in model.model.named_parameters() if n.startswith(("score", "classifier"))).fill_(float("nan"))
    assert not self_checks.batch_invariance(model, model.renderer.encode_many(bases.ROWS)).passed


def test_nothing_to_check(model: RewardModel, tmp_path: Path) -> None:
    for check in (self_checks.batch_invariance, self_checks.padding_side):
        with pytest.raises(EmptyBatchError):
            check(model, [])
    with pytest.raises(EmptyBatchError):
        self_checks.swap_mirrors(model, [], [])
