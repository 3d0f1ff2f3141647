"""A tiny language model in a folder, with its output layer and chat template; it reads 128 tokens. And adapters."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from assay.models.quiet import quiet
from tests.support import bases


def saved(root: Path, *, seed: int = 0) -> Path:
    """The folder of a model with random weights of this seed, saved under `root`."""
    tokenizer = bases.bpe()
    config = LlamaConfig(
        **bases.SIZES, vocab_size=len(tokenizer), max_position_embeddings=128, bos_token_id=1, eos_token_id=2,
        pad_token_id=2, tie_word_embeddings=False,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
        with torch.no_grad():  # loud enough that other words are other odds
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, 0.2)
    model.save_pretrained(root / "model")
    tokenizer.save_pretrained(root / "model")
    return root / "model"


def adapter(folder: Path, base: Path, *, seed: int = 0) -> Path:
    """The folder of a LoRA adapter to `base`, loud enough that answers change."""
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        with quiet():
            model = get_peft_model(
                LlamaForCausalLM.from_pretrained(base), LoraConfig(r=2, target_modules=["q_proj", "v_proj"])
            )
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.normal_(0, 0.5)
    with quiet():
        model.save_pretrained(folder)
    return folder
