"""A tiny random language model with a chat template, and pairs it can be tuned on in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from assay.train.dpo.config import DpoRunConfig
from tests.support import tiny_bases as tiny

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %} {{ message['role'] }} {{ message['content'] }} [SEP]{% endfor %}"
    "{% if add_generation_prompt %} assistant{% endif %}"
)


def policy(
    folder: Path, *, seed: int = 0, template: str | None = TEMPLATE, positions: int = 64, tied: bool = False
) -> Path:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        size: dict[str, Any] = {"vocab_size": 48, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
        config = LlamaConfig(
            **size, num_attention_heads=4, max_position_embeddings=positions, bos_token_id=2, eos_token_id=3,
            pad_token_id=0, tie_word_embeddings=tied,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = tiny.tokenizer("llama")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


def quick(base: Path, **groups: dict[str, Any]) -> DpoRunConfig:
    """Options of a run that is over in seconds; groups are merged into these."""
    values: dict[str, dict[str, Any]] = {
        "model": {"base": str(base), "max_tokens": 60},
        "split": {"holdout": 12},
        "train": {
            "epochs": 2, "learning_rate": 1e-2, "batch_pairs": 8, "micro_tokens": 256, "precision": "float32",
            "save_every": 3, "compile": "off",
        },
        "watch": {"fresh": 3, "max_new_tokens": 8},
        "audit": {"resamples": 200},
    }  # fmt: skip
    for name, group in groups.items():
        values[name] = {**values.get(name, {}), **group}
    return DpoRunConfig.build(values)
