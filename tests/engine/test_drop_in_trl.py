"""TRL's own trainers under `shared_prefixes`, unchanged, give the losses, steps and weights they give without it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, TrainerCallback

from assay.engine.drop_in import shared_prefixes
from tests.support.engine_rows import assert_close, pairs
from tests.support.tiny_models import language_model, reward_model

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


def preferences(count: int) -> Dataset:
    rows = [" ".join(f"<{token}>" for token in row) for row in pairs(count)]
    split = [_same_words(*two) for two in zip(rows[0::2], rows[1::2], strict=True)]
    return Dataset.from_list(
        [
            {"prompt": a[:end], "chosen": a[end:], "rejected": b[end:]}
            for a, b, end in zip(rows[0::2], rows[1::2], split, strict=True)
        ]
    )


def test_dpo_trainer_takes_the_same_ten_steps(tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    data = preferences(16)
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


def ranked(count: int) -> Dataset:
    rows = pairs(count)
    return Dataset.from_list(
        [{"chosen_ids": a, "rejected_ids": b} for a, b in zip(rows[0::2], rows[1::2], strict=True)]
    )


class Gradients(TrainerCallback):
    """Every gradient of every step, as the optimiser gets it."""

    def __init__(self) -> None:
        self.steps: list[torch.Tensor] = []

    def on_pre_optimizer_step(self, *_args: Any, model: Any, **_kwargs: Any) -> None:
        self.steps.append(torch.cat([p.grad.flatten().clone() for p in model.parameters() if p.grad is not None]))


def trainer_of(kind: str, folder: Path, **changes: Any) -> Any:
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer

    torch.manual_seed(0)
    adapters = {"r": 4, "target_modules": ["q_proj", "v_proj", "down_proj"], "init_lora_weights": False}
    dpo = kind.startswith("dpo")
    lora = LoraConfig(
        task_type="CAUSAL_LM" if dpo else "SEQ_CLS", modules_to_save=None if dpo else ["score"], **adapters
    )
    config = (DPOConfig if dpo else RewardConfig)(output_dir=str(folder), **COMMON | {"max_steps": 3} | changes)
    more: dict[str, Any] = {"peft_config": lora} if kind.endswith("lora") else {}
    if kind == "dpo":
        more["ref_model"] = language_model("llama", seed=1)
    return (DPOTrainer if dpo else RewardTrainer)(
        model=(language_model if dpo else reward_model)("llama"), args=config, processing_class=tokenizer(),
        train_dataset=(preferences if dpo else ranked)(16), eval_dataset=(preferences if dpo else ranked)(4), **more,
    )  # fmt: skip


def tokens_run(model: Any) -> list[int]:
    """Tokens that go through the policy's first layer, call by call."""
    seen: list[int] = []
    layer = next(module for name, module in model.named_modules() if name.endswith("layers.0.mlp"))
    layer.register_forward_hook(lambda _m, args, _o: seen.append(args[0][..., 0].numel()))
    return seen


def sharing_of(trainer: Any) -> Any:
    return shared_prefixes(*filter(None, [trainer.model, getattr(trainer, "ref_model", None)]))


@pytest.mark.parametrize(
    ("kind", "changes"), [("dpo-lora", {}), ("dpo-lora", {"precompute_ref_log_probs": True}), ("reward-lora", {})]
)
def test_adapters_take_the_same_steps_from_the_same_gradients(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    results = []
    for sharing in (False, True):
        trainer = trainer_of(kind, tmp_path, **changes)
        gradients, seen = Gradients(), tokens_run(trainer.model)
        trainer.add_callback(gradients)
        with sharing_of(trainer) if sharing else nullcontext():
            ahead = len(seen)  # a probe, and what the trainer computes when it is made, are behind us
            trainer.train()
        losses = torch.tensor([entry["loss"] for entry in trainer.state.log_history if "loss" in entry])
        ends = torch.cat([p.detach().flatten() for p in trainer.model.parameters() if p.requires_grad])
        results.append((losses, torch.stack(gradients.steps), ends, sum(seen[ahead:])))
    (losses, steps, ends, plain_tokens), (*ours, tokens) = results
    assert len(losses) == 3
    for mine, theirs in zip(ours, (losses, steps, ends), strict=True):
        assert_close(mine, theirs)
    assert tokens < 0.6 * plain_tokens


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dpo", "reward-lora"])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_training_again_and_evaluating_between_share_as_the_first_time(
    kind: str, precision: str, tmp_path: Path
) -> None:
    ends, losses, tokens = [], [], []
    for way in ("plain", "one context", "a context each", "plain first"):
        trainer = trainer_of(kind, tmp_path, bf16=precision == "bf16", max_steps=2)
        seen, parts, found = tokens_run(trainer.model), [], []
        with sharing_of(trainer) if way == "one context" else nullcontext():
            for number, act in enumerate((trainer.train, trainer.evaluate, trainer.train)):
                each = way == "a context each" or (way == "plain first" and number)
                with sharing_of(trainer) if each else nullcontext():
                    start = len(seen)  # a probe is behind us
                    result = act()
                found.append(result["eval_loss"] if isinstance(result, dict) else result.training_loss)
                parts.append(sum(seen[start:]))
        ends.append(torch.cat([p.detach().flatten() for p in trainer.model.parameters() if p.requires_grad]))
        losses.append(torch.tensor(found))
        tokens.append(parts)
    plain, whole, each, later = tokens
    assert each == whole
    assert later == [plain[0], *whole[1:]]
    assert all(ours < 0.7 * theirs for ours, theirs in zip(whole, plain, strict=True))
    noise = 1e-5 if precision == "float32" else 2e-2
    for mine, theirs in zip([*ends[1:], *losses[1:]], [ends[0]] * 3 + [losses[0]] * 3, strict=True):
        assert_close(mine, theirs, noise)
