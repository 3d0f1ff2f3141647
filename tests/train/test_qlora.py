"""A trunk in 4 bit, for real: trained, saved, and the same model when plain transformers opens it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, LlamaConfig, LlamaForSequenceClassification

from assay.artifacts.files import read_jsonl
from assay.models.config import ModelConfig
from assay.rewards.reward_model import RewardModel
from assay.rewards.saved_model import whole
from assay.train import train_reward
from tests.support import tiny_bases as tiny

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed: pip install 'assay[qlora]'")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bitsandbytes quantises in blocks of 64 weights, so the rows have to hold whole blocks."""
    folder = tiny.base(tmp_path_factory.mktemp("bases") / "llama", "llama")
    config = LlamaConfig.from_pretrained(folder, hidden_size=64, intermediate_size=128, num_labels=1, head_dim=16)
    torch.manual_seed(0)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_it_learns_and_the_saved_model_is_the_trained_one(base: Path, tmp_path: Path) -> None:
    recipe = tiny.quick(base, epochs=6)
    recipe["model"] = ModelConfig(base=str(base), max_tokens=64, tuning="qlora")
    result = train_reward(
        tiny.pairs(160), tiny.pairs(40, seed=1), seed=0, out=tmp_path / "run", progress=lambda _: None, **recipe
    )
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.8
    assert (tmp_path / "run" / "model" / "adapter" / "adapter_model.safetensors").exists()
    assert "quantization_config" not in (tmp_path / "run" / "model" / "config.json").read_text()

    opened = AutoModelForSequenceClassification.from_pretrained(tmp_path / "run" / "model")
    assert {parameter.dtype for parameter in opened.parameters()} == {torch.float32}
    saved = RewardModel.load(tmp_path / "run" / "model")
    rows = [saved.renderer.encode(p.prompt, p.chosen) for p in tiny.pairs(40, seed=1)]
    trained = [row["chosen"] for row in read_jsonl(tmp_path / "run" / "scores.jsonl")]
    # 4-bit layers multiply in bfloat16 and the saved ones in float32: the same model, up to bfloat16's rounding.
    np.testing.assert_allclose(saved.score(rows), trained, rtol=0.05, atol=0.05 * float(np.std(trained)))


def test_merging_adds_the_adapter_to_the_quantised_weight_exactly(base: Path) -> None:
    from peft.utils.integrations import dequantize_bnb_weight

    reward_model = RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64, tuning="qlora"), seed=0)
    layers = {n: m for n, m in reward_model.model.named_modules() if hasattr(m, "lora_B") and n.endswith("q_proj")}
    name, layer = next(iter(layers.items()))
    torch.nn.init.normal_(layer.lora_B["default"].weight, std=0.1)  # type: ignore[index, union-attr]
    weight = layer.base_layer.weight  # type: ignore[union-attr]
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight  # type: ignore[index, union-attr]
    expected = dequantize_bnb_weight(weight, state=weight.quant_state).float() + 2.0 * (b @ a)  # alpha 32 over rank 16
    merged = whole(reward_model.model)
    found = merged.get_submodule(name.removeprefix("base_model.model.")).weight
    torch.testing.assert_close(found, expected)
    assert not any("lora" in key for key in merged.state_dict())
    assert reward_model.model.get_submodule(name) is layer  # the model that goes on training is untouched
