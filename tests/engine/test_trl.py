"""TRL's own trainers under `shared_prefixes`, unchanged, give the losses, steps and weights they give without it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from assay.engine.drop_in import shared_prefixes

from .test_forward import assert_close, pairs
from .tiny import language_model, reward_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
COMMON: dict[str, Any] = {
    "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "max_steps": 10, "learning_rate": 1e-3,
    "optim": "sgd", "bf16": False, "gradient_checkpointing": False, "report_to": [], "save_strategy": "no",
    "logging_steps": 1, "disable_tqdm": True, "dataloader_pin_memory": False, "use_cpu": True, "max_grad_norm": 1e9,
}  # fmt: skip


def tokenizer() -> PreTrainedTokenizerFast:
    words = {f"<{number}>": number for number in range(96)}
    inner = Tokenizer(models.WordLevel(words, unk_token="<3>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<0>", bos_token="<1>", eos_token="<2>")


def _same_words(one: str, other: str) -> int:
    """Length of the text both begin with, in whole words."""
    same = next(n for n, (a, b) in enumerate(zip(one.split(), other.split(), strict=False)) if a != b)
    return len(" ".join(one.split()[:same]))


def logged(trainer: Any, keys: tuple[str, ...]) -> torch.Tensor:
    return torch.tensor([[float(entry[key]) for key in keys] for entry in trainer.state.log_history if "loss" in entry])


def test_reward_trainer_takes_the_same_ten_steps(tmp_path: Path) -> None:
    from trl import RewardConfig, RewardTrainer

    rows = pairs(16)
    data = Dataset.from_list(
        [{"chosen_ids": a, "rejected_ids": b} for a, b in zip(rows[0::2], rows[1::2], strict=True)]
    )
    ends, figures = [], []
    for sharing in (False, True):
        model = reward_model("llama")
        config = RewardConfig(output_dir=str(tmp_path), **COMMON)
        trainer = RewardTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer())
        with shared_prefixes(model) if sharing else nullcontext():
            trainer.train()
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
        figures.append(logged(trainer, ("loss", "grad_norm", "margin")))
    assert len(figures[0]) == 10
    assert_close(figures[1], figures[0], 1e-4)  # TRL logs four digits
    assert_close(ends[1], ends[0])


def test_dpo_trainer_takes_the_same_ten_steps(tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    rows = [" ".join(f"<{token}>" for token in row) for row in pairs(16)]
    split = [_same_words(*two) for two in zip(rows[0::2], rows[1::2], strict=True)]
    data = Dataset.from_list(
        [
            {"prompt": a[:end], "chosen": a[end:], "rejected": b[end:]}
            for a, b, end in zip(rows[0::2], rows[1::2], split, strict=True)
        ]
    )
    ends, figures = [], []
    for sharing in (False, True):
        model, reference = language_model("llama"), language_model("llama", seed=1)
        config = DPOConfig(output_dir=str(tmp_path), **COMMON | {"learning_rate": 1e-4})
        trainer = DPOTrainer(
            model=model, ref_model=reference, args=config, train_dataset=data, processing_class=tokenizer()
        )
        with shared_prefixes(trainer.model, trainer.ref_model) if sharing else nullcontext():
            trainer.train()
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
        keys = (
            "loss",
            "grad_norm",
            "rewards/margins",
            "logps/chosen",
            "entropy",
            "mean_token_accuracy",
            "logits/chosen",
        )
        figures.append(logged(trainer, keys))
    assert len(figures[0]) == 10
    assert_close(figures[1], figures[0], 1e-4)
    assert_close(ends[1], ends[0])
