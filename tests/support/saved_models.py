"""A tiny reward model in a folder, which reads 128 tokens and whose template refuses a tool's turn."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from tests.support import bases

LONG = "refund " * 200  # more than the model reads
REFUSES_TOOLS = "{% if messages[0]['role'] == 'tool' %}{{ raise_exception('no tools') }}{% endif %}" + bases.CHATML


def reward_model(root: Path, *, seed: int = 0) -> Path:
    """The folder of a reward model with random weights of this seed, saved under `root`."""
    base = bases.save(root / "base", "llama", tokenizer=bases.bpe(template=REFUSES_TOOLS))
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=seed).save(root / "model")
    return root / "model"


def policy(root: Path, *, seed: int = 0) -> Path:
    """The folder of a language model with random weights of this seed, with the same tokenizer and template."""
    base = bases.save(root / "base", "llama", tokenizer=bases.bpe(template=REFUSES_TOOLS))
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
    model.save_pretrained(root / "policy")
    AutoTokenizer.from_pretrained(base).save_pretrained(root / "policy")
    return root / "policy"
