"""A model folder at fault is told in one sentence with exit code 2, before any data are read: as scorer and as base."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.errors import ModelError
from assay.models.config import ModelConfig
from assay.models.resolve import locate, resolve
from assay.rewards.new_model import check_base
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from tests.support import bases
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay


def broken_data(folder: Path) -> Path:
    """A file that is there, and whose only row would be told of by whoever reads it."""
    (folder / "broken.jsonl").write_text("{broken\n")
    return folder / "broken.jsonl"


def change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def reweigh(folder: Path, **tensors: torch.Tensor) -> None:
    path = folder / "model.safetensors"
    save_file({**load_file(path), **tensors}, path, metadata={"format": "pt"})


def without_head(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({k: v for k, v in load_file(path).items() if k != "score.weight"}, path, metadata={"format": "pt"})


def adapters_only(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "model.safetensors").unlink()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/base", "peft_type": "LORA"}')


def adapters_beside(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/base", "peft_type": "LORA"}')


def inner_quantisation(folder: Path) -> None:
    change(folder, text_config={"quantization_config": {"quant_method": "fp8"}})


def one_token_more(folder: Path) -> None:
    tokenizer = tiny.tokenizer("llama")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|more|>"]})
    tokenizer.chat_template = bases.CHATML.replace("<|im_end|>", "<|more|>")
    tokenizer.save_pretrained(folder)


def without_a_class(folder: Path) -> None:
    """A kind that has no sequence classification, with a configuration that is whole."""
    change(folder, model_type="granitemoehybrid", mamba_n_heads=8, mamba_expand=2, mamba_d_head="auto")


# What is done to a folder, what is said of it as a scorer, and as a base (None: it can be one).
FAULTS: dict[str, tuple[Callable[[Path], None], str, str | None]] = {
    "gptq": (
        lambda f: change(f, quantization_config={"quant_method": "gptq", "bits": 4}),
        "quantised (gptq)",
        "(gptq)",
    ),
    "awq": (lambda f: change(f, quantization_config={"quant_method": "awq", "bits": 4}), "quantised (awq)", "(awq)"),
    "nf4": (
        lambda f: change(f, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True}),
        "quantised (bitsandbytes 4 bit)",
        "(bitsandbytes 4 bit)",
    ),
    "int8": (
        lambda f: change(f, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True}),
        "quantised (bitsandbytes 8 bit)",
        "(bitsandbytes 8 bit)",
    ),
    "quantised inside": (inner_quantisation, "quantised (fp8)", "(fp8)"),
    "ZeRO-3": (lambda f: reweigh(f, **{"model.norm.weight": torch.zeros(0)}), "empty (model.norm.weight)", "ZeRO-3"),
    "padding beyond the table": (lambda f: change(f, pad_token_id=9999), "adding_idx", "adding_idx"),
    "padding null": (lambda f: change(f, pad_token_id=None), "pad_token_id in config.json is null", None),
    "padding -1": (lambda f: change(f, pad_token_id=-1), "pad_token_id in config.json is -1", None),
    "a token more in every row": (one_token_more, "the tokenizer has 47 tokens, the model 46", None),
    "two outputs": (
        lambda f: reweigh(f, **{"score.weight": torch.zeros(2, 32)}),
        "score.weight: 2 x 32, not 1 x 32",
        None,
    ),
    "adapters": (adapters_only, "adapters to owner/base", "adapters to owner/base"),
    "adapters beside": (adapters_beside, "adapters to owner/base", "adapters to owner/base"),
    "no such class": (
        lambda f: change(f, model_type="granitemoehybrid", mamba_n_heads=8, mamba_expand=2, mamba_d_head="auto"),
        "GraniteMoeHybrid",
        "GraniteMoeHybrid",
    ),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors", "no weights"),
    "no head": (without_head, "not in the file (score.weight)", None),
    "a gating layer": (lambda f: reweigh(f, **{"gating.weight": torch.zeros(1, 32)}), "(gating.weight)", None),
    "a second half of the head": (lambda f: reweigh(f, **{"score.bias": torch.ones(1)}), "(score.bias)", None),
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.base(tmp_path_factory.mktemp("clean") / "model", "llama")
    tokenizer = tiny.tokenizer("llama")
    tokenizer.chat_template = bases.CHATML
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    shutil.copytree(clean, tmp_path / "model")
    return tmp_path / "model"


def as_base(folder: Path) -> None:
    check_base(resolve(str(folder)), ModelConfig(base=str(folder), max_tokens=64))


def test_a_whole_folder_is_scorer_and_base(folder: Path) -> None:
    assert LocalScorer(folder).fingerprint == locate(str(folder)).fingerprint
    as_base(folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_a_sentence(fault: str, folder: Path) -> None:
    put, as_scorer_said, as_base_said = FAULTS[fault]
    put(folder)
    with pytest.raises(ModelError) as told:
        _ = LocalScorer(folder).fingerprint
    assert as_scorer_said in str(told.value)
    assert str(folder) in str(told.value)
    if as_base_said is None:
        as_base(folder)
        return
    with pytest.raises(ModelError) as told:
        as_base(folder)
    assert as_base_said in str(told.value)


@pytest.mark.parametrize("fault", ["nf4", "padding beyond the table", "no such class"])
@pytest.mark.parametrize("command", ["score", "audit", "reward"])
def test_the_commands_end_with_2_and_read_no_data(command: str, fault: str, folder: Path, tmp_path: Path) -> None:
    FAULTS[fault][0](folder)
    out = str(tmp_path / "out")
    data = str(broken_data(tmp_path))
    words = [command, data, "--base", str(folder)] if command == "reward" else [command, str(folder), data]
    done = ready_assay(*words, "--out", out)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "broken.jsonl" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("fault", ["padding null", "padding -1", "a token more in every row", "two outputs"])
def test_what_is_no_fault_of_a_base_trains_and_saves(fault: str, folder: Path, tmp_path: Path) -> None:
    FAULTS[fault][0](folder)
    model = RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=64), seed=0)
    rows = [model.encode("w1 w2", "w3 good"), model.encode("w1", "bad")]
    model.save(tmp_path / "saved")
    again = RewardModel.load(tmp_path / "saved")
    torch.testing.assert_close(torch.tensor(again.score(rows)), torch.tensor(model.score(rows)), rtol=0, atol=1e-5)


def test_leftovers_without_a_say_stop_nothing(folder: Path) -> None:
    before = RewardModel.load(folder)
    row = before.encode("w1", "good")
    reweigh(
        folder,
        **{
            "lm_head.weight": torch.ones(46, 32),
            "model.embeddings.position_ids": torch.arange(64),
            "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4),
        },
    )
    assert RewardModel.load(folder).score([row]) == before.score([row])


def test_a_pooler_that_a_classifier_does_not_read_stops_nothing(tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaForSequenceClassification

    tokenizer = bases.wordpiece("roberta")
    config = RobertaConfig(
        **bases.SIZES, vocab_size=len(tokenizer), max_position_embeddings=66, pad_token_id=1, num_labels=1
    )
    RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    reweigh(tmp_path, **{"roberta.pooler.dense.weight": torch.ones(32, 32)})
    RewardModel.load(tmp_path)


def test_more_positions_than_the_base_has_are_told_before_data_are_read(folder: Path, tmp_path: Path) -> None:
    words = ["reward", str(broken_data(tmp_path)), "--base", str(folder), "--max-tokens", "1024"]
    done = ready_assay(*words, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "positions for 64 tokens" in done.stderr


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_weight_that_is_no_number_is_named_and_not_the_learning_rate(number: float, folder: Path) -> None:
    reweigh(folder, **{"model.layers.1.mlp.up_proj.weight": torch.full((48, 32), number)})
    with pytest.raises(ModelError, match=r"not finite \(model\.layers\.1\.mlp\.up_proj\.weight\)"):
        RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=64), seed=0)


def test_a_row_with_a_token_of_the_tokenizers_alone_has_no_reward_and_the_others_have(folder: Path) -> None:
    tokenizer = tiny.tokenizer("llama")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|more|>"]})
    tokenizer.chat_template = bases.CHATML
    tokenizer.save_pretrained(folder)
    from assay.records import Candidates
    from assay.scorers.protocol import Reward, Unscored

    ((good, more),) = LocalScorer(folder).score([Candidates(id="1", prompt="w1", answers=("good", "bad <|more|>"))])
    assert isinstance(good, Reward)
    assert isinstance(more, Unscored)
    assert "token 46" in more.reason


def test_weights_that_are_torn_or_no_weights_are_no_mistake_of_ours(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for bytes_ in (whole[: len(whole) // 2], b"{}", b"", b"\xff" * 100):
        path.write_bytes(bytes_)
        with pytest.raises(ModelError):
            RewardModel.load(folder)
        with pytest.raises(ModelError):
            RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=64), seed=0)


def test_a_configuration_that_is_no_configuration_is_no_mistake_of_ours(folder: Path) -> None:
    for text in ("", "[]", "{}", '{"model_type": "llama", "hidden_size": "many"}', '{"model_type": 3}', "\x00"):
        (folder / "config.json").write_text(text)
        for opening in (lambda: LocalScorer(folder).fingerprint, lambda: as_base(folder)):
            with pytest.raises(ModelError):
                opening()


def test_what_a_loader_announces_is_told_with_its_reason(folder: Path) -> None:
    change(folder, model_type="granitemoehybrid")
    with pytest.raises(ModelError, match="mamba_n_heads must divide"):
        _ = LocalScorer(folder).fingerprint
