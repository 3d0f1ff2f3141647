"""TRL's own GRPOTrainer takes ten steps with a run's reward, and learns from exactly the rewards of `assay score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from datasets import Dataset
from transformers import AutoTokenizer

import assay
from assay.records import Candidates
from tests.support.gated_run import gated_run
from tests.support.saved_models import policy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]
PROMPTS = ["May I?", "How do I get a refund?", "No. Please ask the shop.", "The policy says thirty days."]


@pytest.mark.parametrize("calls", ["plain", "async"])
@pytest.mark.parametrize("kind", ["standard", "conversational"])
def test_grpo_takes_ten_steps(tmp_path: Path, kind: str, calls: Literal["plain", "async"]) -> None:
    from trl import GRPOConfig, GRPOTrainer

    run, base = gated_run(tmp_path), policy(tmp_path / "policy", seed=3)
    talked = kind == "conversational"
    rows = [{"prompt": [{"role": "user", "content": text}] if talked else text} for text in PROMPTS * 10]
    config = GRPOConfig(
        output_dir=str(tmp_path / "out"), max_steps=10, per_device_train_batch_size=4, num_generations=4,
        max_completion_length=8, learning_rate=1e-2, logging_steps=1, report_to=[], save_strategy="no", bf16=False,
        disable_tqdm=True, use_cpu=True, gradient_checkpointing=False, seed=0, dataloader_pin_memory=False,
    )  # fmt: skip
    reward = assay.reward_function(run, calls=calls)
    trainer = GRPOTrainer(
        model=str(base), reward_funcs=reward, args=config, train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
    )  # fmt: skip
    before = torch.cat([one.detach().flatten().clone() for one in trainer.model.parameters()])
    trainer.train()
    assert trainer.state.global_step == 10
    logged = [entry for entry in trainer.state.log_history if "rewards/assay_run/mean" in entry]
    assert len(logged) == 10
    after = torch.cat([one.detach().flatten() for one in trainer.model.parameters()])
    assert not torch.equal(before, after)
    seen = scored_again(run, trainer._logs)
    assert seen
    for given, again in seen:
        assert given == pytest.approx(again, abs=1e-5)


def scored_again(run: Path, logs: Any) -> list[tuple[float, float]]:
    """The rewards TRL learned from, and those of `assay score` for the very texts it logged beside them."""
    rows = zip(logs["prompt"], logs["completion"], logs["rewards"]["assay_run"], strict=True)
    found = []
    for prompt, completion, reward in rows:
        texts = [one if isinstance(one, str) else one[-1]["content"] for one in (prompt, completion)]
        if texts[1].strip():
            ((one,),) = assay.score(str(run), [Candidates(id="x", prompt=texts[0], answers=(texts[1],))])
            assert isinstance(one, assay.Reward)
            found.append((reward, one.value))
    return found
