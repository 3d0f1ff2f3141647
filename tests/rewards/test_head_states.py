"""What the head reads: the reward is its last layer of it, for every kind of model, however rows are run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from assay.errors import ModelError
from assay.models.config import ModelConfig
from assay.models.head import head_layers
from assay.rewards.head_states import head_states
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from tests.support import bases, saved_models

PROMPT = "How do I get a refund? The policy says that goods may be returned within thirty days."
ANSWERS = ["Press refund.", "No.", "Go to the page of your order and press refund.", "No.", "Please ask the shop!"]


@pytest.fixture(scope="module", params=["llama", "gpt2", "bert", "roberta"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RewardModel:
    folder = bases.save(tmp_path_factory.mktemp(request.param) / "base", request.param)
    made = RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=128), seed=0)
    with torch.no_grad():
        for layer in head_layers(made.model).values():  # a new head's rewards are close to 0
            layer.weight.mul_(30)
    return made


def test_the_last_layer_of_the_states_is_the_reward(model: RewardModel) -> None:
    rows = [model.encode(PROMPT, answer) for answer in ANSWERS]
    found = head_states(model, rows)
    (layer,) = head_layers(model.model).values()
    bias = 0.0 if layer.bias is None else float(layer.bias.detach())
    made = found.states @ layer.weight.detach().numpy()[0] + bias
    assert np.allclose(made, found.rewards, rtol=1e-3, atol=1e-4)
    assert np.allclose(found.rewards, model.score(rows), rtol=1e-3, atol=1e-4)
    assert np.ptp(found.rewards) > 1e-2
    assert (found.states[1] == found.states[3]).all()  # one row


@pytest.mark.parametrize("tokens", [1, 24, 4096])
def test_states_are_the_same_whatever_shares_a_pass(model: RewardModel, tokens: int) -> None:
    rows = [model.encode(prompt, answer) for prompt in (PROMPT, "Refund?") for answer in ANSWERS]
    plain = head_states(model, rows, sharing="off", micro_tokens=4096)
    found = head_states(model, rows, micro_tokens=tokens)
    assert np.allclose(found.states, plain.states, rtol=1e-3, atol=1e-4)
    assert np.allclose(found.rewards, plain.rewards, rtol=1e-3, atol=1e-4)


def test_a_head_that_is_no_linear_layer_has_no_states(tmp_path: Path) -> None:
    folder = bases.save(tmp_path / "base", "bert")
    model = RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=128), seed=0)
    rows = [model.encode(PROMPT, answer) for answer in ANSWERS]

    class Squared(nn.Module):
        def __init__(self, layer: nn.Linear) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.layer(given)
            return out.square() + 1.0

    model.model.classifier = Squared(model.model.classifier)  # type: ignore[assignment, arg-type]
    with pytest.raises(ModelError, match="not what its last layer makes"):
        head_states(model, rows)


def test_a_scorer_reads_states_of_what_it_scores_and_says_why_not_of_the_rest(tmp_path: Path) -> None:
    scorer = LocalScorer(saved_models.reward_model(tmp_path))
    rows = [(PROMPT, ANSWERS[0]), (PROMPT, saved_models.LONG), (PROMPT, ANSWERS[2])]
    found = scorer.read_states(rows)
    assert found.places == (0, 2)
    assert "the model reads" in found.unread[1].reason
    assert found.states.shape[0] == 2
    nothing = scorer.read_states([(PROMPT, saved_models.LONG)])
    assert (nothing.places, len(nothing.rewards)) == ((), 0)
