"""A head of another name is recognised and made plain: the reward is the value head's, computed here by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig

from assay.errors import InputError, ModelError
from assay.rewards.convert import convert_model
from assay.rewards.reward_model import RewardModel
from tests.support import bases
from tests.support.ready_commands import ready_assay

HEADS = {"v_head.summary": True, "value_head": False, "own file": True, "own pickle": False}


def language_model(folder: Path) -> Path:
    tokenizer = bases.bpe()
    config = LlamaConfig(
        **bases.SIZES, vocab_size=len(tokenizer), max_position_embeddings=128, bos_token_id=1, eos_token_id=2,
        pad_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def with_head(folder: Path, kind: str, *, bias: float = 0.0) -> torch.Tensor:
    """A language model with a value head as its trainers save it; the head's weight."""
    language_model(folder)
    weight = torch.randn(1, 32)
    name = "v_head.summary" if "own" in kind else kind
    head = {f"{name}.weight": weight} | ({f"{name}.bias": torch.tensor([bias])} if HEADS[kind] else {})
    if kind == "own file":
        save_file(head, folder / "value_head.safetensors")
    elif kind == "own pickle":
        torch.save(head, folder / "value_head.bin")
    else:
        path = folder / "model.safetensors"
        save_file({**load_file(path), **head}, path, metadata={"format": "pt"})
    return weight


def by_hand(folder: Path, weight: torch.Tensor, rows: list[tuple[str, str]]) -> list[float]:
    """The value head on the last token's hidden state of the language model's trunk."""
    trunk: Any = AutoModel.from_pretrained(folder, trust_remote_code=False).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    found = []
    for prompt, answer in rows:
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        ids = tokenizer.apply_chat_template(turns, return_dict=True, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found.append(float(trunk(ids).last_hidden_state[0, -1] @ weight[0]))
    return found


@pytest.mark.parametrize("kind", HEADS)
def test_the_reward_is_the_value_heads(kind: str, tmp_path: Path) -> None:
    weight = with_head(tmp_path / "theirs", kind)
    with pytest.raises(ModelError, match="assay models convert"):
        RewardModel.load(tmp_path / "theirs")
    done = convert_model(str(tmp_path / "theirs"), tmp_path / "plain")
    assert (done.head, done.left_out) == ("value_head" if kind == "value_head" else "v_head.summary", 0.0)
    wanted = by_hand(tmp_path / "theirs", weight, bases.ROWS)
    model = RewardModel.load(tmp_path / "plain")
    found = model.score([model.encode(*row) for row in bases.ROWS])
    assert found.tolist() == pytest.approx(wanted, abs=1e-5)
    assert json.loads((tmp_path / "plain" / "config.json").read_text())["problem_type"] == "regression"


def test_plain_transformers_gives_it_too_in_a_padded_batch(tmp_path: Path) -> None:
    weight = with_head(tmp_path / "theirs", "value_head")
    convert_model(str(tmp_path / "theirs"), tmp_path / "plain")
    plain: Any = AutoModelForSequenceClassification.from_pretrained(tmp_path / "plain", trust_remote_code=False).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path / "plain", trust_remote_code=False)
    turns = [[{"role": "user", "content": p}, {"role": "assistant", "content": a}] for p, a in bases.ROWS]
    batch = tokenizer.apply_chat_template(turns, return_dict=True, return_tensors="pt", padding=True)
    with torch.no_grad():
        found = plain(**batch).logits[:, 0].tolist()
    assert found == pytest.approx(by_hand(tmp_path / "theirs", weight, bases.ROWS), abs=1e-5)


def test_a_bias_the_class_has_no_place_for_is_said(tmp_path: Path) -> None:
    with_head(tmp_path / "theirs", "v_head.summary", bias=0.25)
    words = ["models", "convert", str(tmp_path / "theirs"), "--out", str(tmp_path / "plain")]
    done = ready_assay(*words)
    assert done.returncode == 0, done.stderr
    assert "+0.250000" in done.stdout


def test_what_cannot_be_converted_is_told(tmp_path: Path) -> None:
    language_model(tmp_path / "bare")
    with pytest.raises(ModelError, match="nothing that could be converted"):
        convert_model(str(tmp_path / "bare"), tmp_path / "out")
    with_head(tmp_path / "deep", "value_head")
    path = tmp_path / "deep" / "model.safetensors"
    save_file({**load_file(path), "value_head.2.weight": torch.ones(1, 32)}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="nothing that could be converted"):
        convert_model(str(tmp_path / "deep"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with_head(tmp_path / "theirs", "value_head")
    convert_model(str(tmp_path / "theirs"), tmp_path / "plain")
    with pytest.raises(InputError, match="not empty"):
        convert_model(str(tmp_path / "theirs"), tmp_path / "plain")
    with pytest.raises(ModelError, match="Score it as it is"):
        convert_model(str(tmp_path / "plain"), tmp_path / "twice")
