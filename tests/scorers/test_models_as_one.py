"""Weights averaged into one model, and the reward a policy implies: held against plain transformers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from assay.errors import InputError, ModelError
from assay.records import Candidates
from assay.scorers.averaged import averaged
from assay.scorers.implicit import ImplicitScorer, implicit
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward
from tests.support import bases, saved_models

GROUP = Candidates(id="one", prompt="How do I get a refund?", answers=("No.", "Press refund."))


def test_the_average_is_of_the_weights_and_saves_as_a_plain_model(tmp_path: Path) -> None:
    one, other = (saved_models.reward_model(tmp_path / str(seed), seed=seed) for seed in (0, 1))
    scorer = averaged(f"{one},{other}")
    scorer.reward_model.save(tmp_path / "mean")
    states = [
        AutoModelForSequenceClassification.from_pretrained(p).state_dict() for p in (one, other, tmp_path / "mean")
    ]
    for name, tensor in states[2].items():
        assert torch.allclose(tensor, (states[0][name] + states[1][name]) / 2, atol=1e-6), name
    assert LocalScorer(tmp_path / "mean").score([GROUP])[0][0].value == pytest.approx(
        scorer.score([GROUP])[0][0].value, abs=1e-5
    )
    assert averaged(f"{other},{one}").fingerprint == scorer.fingerprint


def test_what_cannot_be_averaged_is_refused(tmp_path: Path) -> None:
    one = saved_models.reward_model(tmp_path / "one")
    with pytest.raises(InputError, match="Name two"):
        averaged(str(one))
    with pytest.raises(InputError, match="stands twice"):
        averaged(f"{one},{one}")
    from assay.models.config import ModelConfig
    from assay.rewards.reward_model import RewardModel

    base = bases.save(tmp_path / "wide", "llama", positions=128, tokenizer=bases.bpe(template=bases.CHATML))
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(tmp_path / "other")
    with pytest.raises(ModelError, match="renders other rows"):
        _ = averaged(f"{one},{tmp_path / 'other'}").fingerprint


def test_the_implied_reward_is_that_of_plain_transformers_on_answer_tokens(tmp_path: Path) -> None:
    policy, reference = (saved_models.policy(tmp_path / str(seed), seed=seed) for seed in (0, 1))
    scorer = ImplicitScorer(str(policy), str(reference), beta=0.5, folder=tmp_path / "kept")
    results = scorer.score([GROUP])[0]
    models = [AutoModelForCausalLM.from_pretrained(one).eval() for one in (policy, reference)]
    for answer, found in zip(GROUP.answers, results, strict=True):
        row = scorer.implied.renderer.encode(GROUP.prompt, answer)
        ids = torch.tensor([row.ids])
        sums = []
        for model in models:
            with torch.no_grad():
                of = model(ids).logits.log_softmax(-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0]
            sums.append(float(of[row.prompt_tokens - 1 :].sum()))
        assert isinstance(found, Reward)
        assert found.value == pytest.approx(0.5 * (sums[0] - sums[1]), abs=1e-4)
    same = ImplicitScorer(str(policy), str(policy), folder=tmp_path / "kept").score([GROUP])[0]
    assert [one.value for one in same if isinstance(one, Reward)] == [0.0, 0.0]


@pytest.mark.parametrize("argument", ["policy", "@reference", "policy@", "a@b@zero", "a@b@-1", "a@b@1@2"])
def test_what_names_no_policy_and_reference_is_refused(argument: str) -> None:
    with pytest.raises(InputError, match="POLICY@REFERENCE"):
        implicit(argument)
    assert implicit("a/b@c/d@0.3").beta == 0.3
