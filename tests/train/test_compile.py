"""torch.compile under training: the same training, and the same bits after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from assay.artifacts.files import read_jsonl, sha256_file
from assay.engine.compiled import compile_layers, layers_of
from assay.errors import ConfigError
from assay.render.encoder import Encoded, Renderer
from assay.rewards.reward_model import RewardModel
from assay.train import train_reward
from tests.support import tiny_bases as tiny
from tests.train.test_resume import StopHere, silent, stop_at

# torch.compile's own imports and looks at tensors warn, each once a process: not ours to mend.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("one_thread")]


def train(out: Path, base: Path, *, progress: Any = silent, **changes: Any) -> Path:
    recipe = tiny.quick(base, epochs=1.5, **changes)
    train_reward(tiny.pairs(42), tiny.pairs(10, seed=1), seed=0, out=out, progress=progress, **recipe)
    return out


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in read_jsonl(folder / "metrics.jsonl") if "loss" in row]


def held_out(folder: Path) -> list[float]:
    return [row[side] for row in read_jsonl(folder / "scores.jsonl") for side in ("chosen", "rejected")]


@pytest.mark.slow
def test_it_trains_the_same_model_and_resumes_to_the_bit(tmp_path: Path) -> None:
    base = tiny.base(tmp_path / "base", "llama")
    plain = train(tmp_path / "plain", base)
    whole = train(tmp_path / "whole", base, compile="on")
    assert losses(whole) != losses(plain)  # other code ran: the fused loops round elsewhere
    np.testing.assert_allclose(losses(whole), losses(plain), rtol=1e-5)
    np.testing.assert_allclose(held_out(whole), held_out(plain), rtol=1e-4, atol=1e-5)

    with pytest.raises(StopHere):
        train(tmp_path / "killed", base, compile="on", progress=stop_at(5))
    killed = train(tmp_path / "killed", base, compile="on")
    weights = Path("model") / "model.safetensors"
    assert sha256_file(killed / weights) == sha256_file(whole / weights)
    assert (killed / "scores.jsonl").read_bytes() == (whole / "scores.jsonl").read_bytes()


@pytest.mark.slow
def test_the_tenth_model_of_a_process_is_compiled_too(tmp_path: Path) -> None:
    base = tiny.base(tmp_path / "base", "llama")
    renderer = Renderer.from_pretrained(base)
    config = LlamaConfig.from_pretrained(base, num_labels=1)
    rows = [Encoded(ids=(5, 6, 7), prompt_tokens=2), Encoded(ids=(5, 6, 8, 9), prompt_tokens=2)]
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True):
        for size in range(40, 50):  # code is compiled anew for each: past eight, torch would run the layers plain
            config.intermediate_size = size
            reward_model = RewardModel(LlamaForSequenceClassification(config), renderer)
            compile_layers(reward_model.model, reward_model.rewards, precision="float32")
            reward_model.rewards(rows).sum().backward()


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny.base(tmp_path / "base", "llama")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ConfigError, match=r"needs a C\+\+ compiler"):
        train(tmp_path / "run", base, compile="on")


def test_the_layers_are_found_or_refused(tmp_path: Path) -> None:
    model = RewardModel.load(train(tmp_path / "run", tiny.base(tmp_path / "base", "llama")) / "model").model
    assert len(layers_of(model)) == model.config.num_hidden_layers
    model.config.num_hidden_layers += 1
    with pytest.raises(ConfigError, match="does not keep its layers in one list"):
        layers_of(model)
