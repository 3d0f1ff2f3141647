"""Switching sharing off changes time and nothing else; and by default it is on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assay.artifacts.files import read_jsonl
from assay.render.encoder import Encoded
from assay.rewards.reward_model import RewardModel
from assay.train import train_reward
from tests.support import tiny_bases as tiny

PROMPT = (2, *range(10, 30))


def rows() -> list[Encoded]:
    random = np.random.default_rng(0)
    answers = [random.integers(4, 46, size).tolist() for size in (3, 9, 1, 5, 5, 7)]
    return [Encoded(ids=(*PROMPT, *answer, 3), prompt_tokens=len(PROMPT)) for answer in answers]


def run_tokens(model: Any) -> list[int]:
    """Tokens that go through the first layer, forward pass by forward pass."""
    seen: list[int] = []
    layer = model.base_model.layers[0].mlp
    layer.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0][..., 0].numel()))
    return seen


def test_scores_are_the_same_with_fewer_tokens_run(tmp_path: Path) -> None:
    model = RewardModel.load(tiny.base(tmp_path / "base", "llama"), template="plain")
    model.rewards(rows())  # whether the model can share is found out once
    seen = run_tokens(model.model)
    on, off = model.score(rows()), model.score(rows(), sharing="off")
    np.testing.assert_allclose(on, off, rtol=1e-5, atol=1e-6)
    assert seen[0] <= len(PROMPT) + 36  # the prompt once, then at most 30 answer tokens and 6 ends
    assert seen[1] == 6 * (len(PROMPT) + 10)


def test_an_encoder_runs_no_padding(tmp_path: Path) -> None:
    model = RewardModel.load(tiny.base(tmp_path / "base", "bert"))
    some = rows()
    assert model.layout(some) == "side by side"
    assert model.layout(some, sharing="off") == "padded"
    seen: list[int] = []
    layer = model.model.bert.encoder.layer[0].intermediate
    layer.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0][..., 0].numel()))
    on, off = model.score(some), model.score(some, sharing="off")
    np.testing.assert_allclose(on, off, rtol=1e-5, atol=1e-6)
    assert seen == [sum(len(row.ids) for row in some), 6 * max(len(row.ids) for row in some)]
    for budget in (1, 60):
        np.testing.assert_allclose(model.score(some, micro_tokens=budget), on, rtol=1e-5, atol=1e-6)


def test_scores_do_not_depend_on_the_budget_of_a_pass(tmp_path: Path) -> None:
    model = RewardModel.load(tiny.base(tmp_path / "base", "llama"), template="plain")
    whole = model.score(rows())
    for budget in (1, 30, 60):
        np.testing.assert_allclose(model.score(rows(), micro_tokens=budget), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["llama", pytest.param("bert", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_training_ends_at_the_same_weights(tmp_path: Path, kind: str) -> None:
    base = tiny.base(tmp_path / "base", kind, dropout=0.0)
    weights, losses = [], []
    for sharing in ("on", "off"):
        recipe = tiny.quick(base, epochs=1.0, batch_pairs=6, sharing=sharing)
        result = train_reward(
            tiny.pairs(24), tiny.pairs(6, seed=1), seed=0, out=tmp_path / sharing, progress=lambda _: None, **recipe
        )
        model = RewardModel.load(result.model_folder).model
        weights.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
        losses.append([row["loss"] for row in read_jsonl(result.metrics_path) if "loss" in row])
    assert len(losses[0]) == 4
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    # AdamW divides by the gradient's own size, so rounding in near-zero gradients shows: absolute, at its step size.
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-4)
