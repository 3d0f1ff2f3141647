"""Tiny random decoders of every family the engine is shown to be exact for."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    Gemma2Config,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    OlmoConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

SIZES: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED: dict[str, Any] = SIZES | {"num_key_value_heads": 2, "head_dim": 8}

FAMILIES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**GROUPED),
    "qwen2": Qwen2Config(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED),
    "mistral": MistralConfig(**GROUPED, sliding_window=40),
    "gemma": GemmaConfig(**GROUPED),
    "gemma2": Gemma2Config(**GROUPED, sliding_window=40, query_pre_attn_scalar=8),
    "gpt2": GPT2Config(
        vocab_size=96, n_embd=32, n_layer=2, n_head=4, n_positions=64, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    ),
    "gpt_neox": GPTNeoXConfig(**SIZES),
    "olmo": OlmoConfig(**SIZES, num_key_value_heads=2),
    "olmo2": Olmo2Config(**SIZES, num_key_value_heads=2),
}  # fmt: skip


def reward_model(family: str, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Any:
    """A random AutoModelForSequenceClassification with one label."""
    torch.manual_seed(seed)
    config = type(FAMILIES[family]).from_dict(
        FAMILIES[family].to_dict() | {"num_labels": 1, "id2label": None, "label2id": None}
    )
    return _loud(AutoModelForSequenceClassification.from_config(config, dtype=dtype))


def language_model(family: str, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Any:
    """A random AutoModelForCausalLM."""
    torch.manual_seed(seed)
    config = type(FAMILIES[family]).from_dict(FAMILIES[family].to_dict())
    return _loud(AutoModelForCausalLM.from_config(config, dtype=dtype))


def _loud(model: Any) -> Any:
    """Weights ten times the usual initialisation, so that attention patterns are far from uniform."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                parameter.mul_(10.0 if "embed" not in name and "wte" not in name and "wpe" not in name else 50.0)
    return model
