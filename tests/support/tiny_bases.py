"""Tiny random bases on disk and pairs with a learnable preference, so that training takes a second."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

from assay.models.config import ModelConfig
from assay.records import Pair
from assay.train.config import TrainConfig

WORDS = [f"w{i}" for i in range(40)] + ["good", "bad"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    vocabulary = {word: index for index, word in enumerate(SPECIAL + WORDS)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    if kind == "bert":
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
        )
        names: dict[str, Any] = {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    else:
        names = {"bos_token": "[CLS]", "eos_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", **names)


def base(folder: Path, kind: str = "bert", *, dropout: float = 0.1, seed: int = 0) -> Path:
    """A random base of two layers with its tokenizer, saved as a user's folder would be."""
    size: dict[str, Any] = {
        "vocab_size": len(SPECIAL) + len(WORDS),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        "num_labels": 1,
    }
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model: Any
    if kind == "bert":
        model = BertForSequenceClassification(
            BertConfig(**size, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        )
    else:
        model = LlamaForSequenceClassification(LlamaConfig(**size, bos_token_id=2, eos_token_id=3))
    torch.random.set_rng_state(state)
    model.save_pretrained(folder)
    tokenizer(kind).save_pretrained(folder)
    return folder


def pairs(n: int, *, seed: int = 0, longest: int = 12) -> list[Pair]:
    """Pairs whose chosen answer holds the word "good" and whose rejected one holds "bad", among filler."""
    draw = random.Random(seed)

    def filler() -> list[str]:
        return draw.choices(WORDS[:40], k=draw.randint(1, longest))

    def answer(word: str) -> str:
        words = [*filler(), word]
        draw.shuffle(words)
        return " ".join(words)

    return [
        Pair(id=f"p{seed}-{i}", prompt=" ".join(filler()), chosen=answer("good"), rejected=answer("bad"))
        for i in range(n)
    ]


def quick(base_folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe that trains a tiny base in a second."""
    config = TrainConfig.build(
        {
            "epochs": 2,
            "learning_rate": 3e-3,
            "batch_pairs": 8,
            "micro_tokens": 256,
            "precision": "float32",
            "save_every": 3,
            **changes,
        }
    )
    return {"model": ModelConfig(base=str(base_folder), max_tokens=64), "config": config}
