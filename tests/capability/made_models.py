"""Tiny language models that read long rows, adapters on them, and a set of questions, as folders."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.support import bases


def saved(
    root: Path, *, seed: int = 0, adds_bos: bool = False, template: str | None = bases.CHATML, positions: int = 8192
) -> Path:
    """The folder of a model with random weights of this seed."""
    tokenizer = bases.bpe(adds_bos=adds_bos, template=template)
    config = LlamaConfig(
        **bases.SIZES, vocab_size=len(tokenizer), max_position_embeddings=positions, bos_token_id=1, eos_token_id=2,
        pad_token_id=2, tie_word_embeddings=False,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
        with torch.no_grad():  # loud enough that other words are other odds
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, 0.2)
    model.save_pretrained(root)
    tokenizer.save_pretrained(root)
    return root


def adapters(root: Path, base: Path, *, seed: int = 1, targets: tuple[str, ...] = ("q_proj", "down_proj")) -> Path:
    """A folder of LoRA adapters on `base` that change it."""
    from peft import LoraConfig, get_peft_model

    model = LlamaForCausalLM.from_pretrained(base)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        tuned = get_peft_model(model, LoraConfig(r=2, target_modules=list(targets), task_type="CAUSAL_LM"))
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, 0, 0.5)
    tuned.save_pretrained(root)
    return root


def questions(
    folder: Path, *, each: int = 12, subjects: tuple[str, ...] = ("anatomy", "virology", "astronomy")
) -> Path:
    """test/ and dev/ as MMLU's, without a header line; every place is right equally often."""
    for split, count in (("test", each), ("dev", 3)):
        (folder / split).mkdir(parents=True)
        for number, subject in enumerate(subjects):
            lines = [
                f"What of {subject} and {split} number {k * 7 + number}?,page {k},order {number},shop,rules {k + 1},"
                f"{'ABCD'[(k + number) % 4]}"
                for k in range(count)
            ]
            (folder / split / f"{subject}_{split}.csv").write_text("\n".join(lines) + "\n")
    return folder
