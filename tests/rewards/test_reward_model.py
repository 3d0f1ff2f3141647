"""Rewards: equal to plain transformers before and after saving, whatever is shared, padded, merged or sorted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from assay.errors import (
    ArtifactError,
    ConfigError,
    EmptyBatchError,
    InputError,
    ModelError,
    ModelNotFoundError,
)
from assay.models.config import ModelConfig
from assay.models.head import float32_head, head_layers
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import padded, rewards_padded
from assay.rewards.reward_head import pooled_places
from assay.rewards.reward_model import RewardModel
from tests.support import bases

KINDS = ("llama", "gpt2", "bert", "roberta")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bases")
    return {kind: bases.save(root / kind, kind) for kind in KINDS}


def fresh(folder: Path, *, seed: int = 0, **changes: Any) -> RewardModel:
    """A reward model of which every trainable weight differs from its start, as after training."""
    model = RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=128, **changes), seed=seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, parameter in sorted(model.model.named_parameters()):
            if parameter.requires_grad:
                parameter.add_(0.15 * torch.randn(parameter.shape, generator=draw))
    return model


def plain_scores(folder: Path, rows: list[tuple[str, str]], *, size: int = 3) -> np.ndarray[Any, Any]:
    """What a user of plain transformers gets: their tokenizer, their padding, their model."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        if tokenizer.chat_template is None:
            batch = tokenizer([p for p, _ in part], [a for _, a in part], padding=True, return_tensors="pt")
        else:
            turns = [[{"role": "user", "content": p}, {"role": "assistant", "content": a}] for p, a in part]
            batch = tokenizer.apply_chat_template(turns, padding=True, return_tensors="pt", return_dict=True)
        with torch.no_grad():
            found.append(model(**batch).logits[:, 0].numpy())
    return np.concatenate(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_a_saved_folder_scores_alike_in_plain_transformers(
    folders: dict[str, Path], tmp_path: Path, kind: str, tuning: str
) -> None:
    model = fresh(folders[kind], tuning=tuning)
    scores = model.score(model.renderer.encode_many(bases.ROWS))
    assert np.ptp(scores) > 0.05, "rewards that hardly differ would hide what is wrong"
    model.save(tmp_path / "saved", {"pairs": 3})
    np.testing.assert_allclose(plain_scores(tmp_path / "saved", bases.ROWS), scores, atol=1e-5)
    again = RewardModel.load(tmp_path / "saved")
    np.testing.assert_allclose(again.score(again.renderer.encode_many(bases.ROWS)), scores, atol=1e-5)
    about = json.loads((tmp_path / "saved" / "assay.json").read_text())
    assert about["schema"] == "model/1"
    assert about["base"]["fingerprint"].startswith("sha256:")
    assert about["render"]["hash"] == model.renderer.hash
    assert about["trained_on"] == {"pairs": 3}
    assert (tmp_path / "saved" / "adapter").exists() == (tuning == "lora")


@pytest.mark.parametrize("kind", KINDS)
def test_order_batch_and_sharing_change_nothing(folders: dict[str, Path], kind: str) -> None:
    model = fresh(folders[kind])
    rows = model.renderer.encode_many(bases.ROWS)
    alone = np.array([model.score([row])[0] for row in rows])
    for scores in (
        model.score(rows),
        model.score(rows, sharing="off"),
        model.score(rows, micro_tokens=40),
        model.score(rows[::-1])[::-1],
        model.rewards(rows).detach().numpy(),
        model.rewards(rows, sharing="off").detach().numpy(),
        rewards_padded(model.model, rows, side="right").detach().numpy(),
    ):
        np.testing.assert_allclose(scores, alone, atol=1e-5)
    assert model.layout(rows) == ("shared" if kind in {"llama", "gpt2"} else "side by side")


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_decoder_reads_the_last_real_token(folders: dict[str, Path], kind: str) -> None:
    """By hand: hidden state of the row's last token times the head's weights."""
    model = fresh(folders[kind])
    row = model.renderer.encode(*bases.ROWS[0])
    end = "<|im_end|>" if kind == "llama" else "<|endoftext|>"
    assert row.ids[-1] == model.renderer.tokenizer.convert_tokens_to_ids(end)
    trunk = model.model.base_model
    with torch.no_grad():
        last_H = trunk(input_ids=torch.tensor([row.ids])).last_hidden_state[0, -1]
        expected = float(model.model.score.weight[0] @ last_H)
    assert model.score([row])[0] == pytest.approx(expected, abs=1e-5)
    assert pooled_places(model.model, [row]).tolist() == [len(row.ids) - 1]
    assert model.model.config.pad_token_id not in {row.ids[-1], None}


def test_gradients_equal_those_of_plain_transformers(folders: dict[str, Path]) -> None:
    for kind in KINDS:
        model = fresh(folders[kind])
        rows = model.renderer.encode_many(bases.ROWS)
        found = []
        for sharing in ("on", "off"):
            model.model.zero_grad()
            model.rewards(rows, sharing=sharing).square().sum().backward()
            found.append({n: p.grad.clone() for n, p in model.model.named_parameters() if p.grad is not None})
        assert found[0].keys() == found[1].keys()
        for name, gradient in found[0].items():
            torch.testing.assert_close(gradient, found[1][name], rtol=1e-3, atol=1e-4)


def test_equal_rows_run_once(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    model = fresh(folders["bert"])
    rows = model.renderer.encode_many(bases.ROWS)
    seen: list[int] = []
    original = model.rewards

    def counting(part: Any, **options: Any) -> Any:
        seen.append(len(part))
        return original(part, **options)

    monkeypatch.setattr(model, "rewards", counting)
    scores = model.score([*rows, *rows, rows[0]])
    assert sum(seen) == len(rows)
    assert scores.tolist() == [*scores[: len(rows)], *scores[: len(rows)], scores[0]]


def test_scoring_leaves_the_mode_as_it_was_and_uses_no_dropout(folders: dict[str, Path]) -> None:
    model = fresh(folders["bert"], dropout=0.5)
    rows = model.renderer.encode_many(bases.ROWS)
    before = model.score(rows)
    model.model.train()
    assert model.rewards(rows).tolist() != pytest.approx(before.tolist(), abs=1e-4), "dropout is on in training"
    np.testing.assert_array_equal(model.score(rows), before)
    assert model.model.training


def test_the_head_runs_in_float32_under_autocast(folders: dict[str, Path]) -> None:
    for kind in ("llama", "bert"):
        model = fresh(folders[kind])
        rows = model.renderer.encode_many(bases.ROWS)
        layer = next(iter(head_layers(model.model).values()))
        for sharing in ("on", "off"):
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                rewards = model.rewards(rows, sharing=sharing)  # type: ignore[arg-type]
            assert rewards.dtype == torch.float32
            assert (rewards.bfloat16().float() != rewards).any(), "a bfloat16 head would give bfloat16 values"
        assert not layer._forward_hooks
    with float32_head(model.model):
        pass


def test_new_weights_come_from_the_seed_and_leave_torch_alone(folders: dict[str, Path]) -> None:
    def head(seed: int) -> torch.Tensor:
        model = RewardModel.from_base(ModelConfig(base=str(folders["llama"]), max_tokens=64), seed=seed)
        return model.model.score.weight.detach().clone()  # type: ignore[no-any-return, union-attr]

    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first = head(1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(6)
    assert torch.equal(head(1), first)
    assert not torch.equal(head(2), first)
    assert 0.01 < float(first.std()) < 0.03
    torch.manual_seed(7)
    unnamed = RewardModel.from_base(ModelConfig(base=str(folders["llama"]), max_tokens=64)).model.score.weight
    assert torch.equal(unnamed, head(7)), "without a seed, torch's own counts"


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_lora_trains_the_head_and_little_else(folders: dict[str, Path], kind: str) -> None:
    model = RewardModel.from_base(
        ModelConfig(base=str(folders[kind]), tuning="lora", lora_rank=2, max_tokens=64), seed=0
    )
    trained = {name for name, parameter in model.model.named_parameters() if parameter.requires_grad}
    head = {name for name in trained if "modules_to_save" in name}
    assert head
    assert all("lora_" in name for name in trained - head)
    assert not any("lora_" in name and ("score" in name or "classifier" in name) for name in trained)
    other = RewardModel.from_base(
        ModelConfig(base=str(folders[kind]), tuning="lora", lora_rank=2, max_tokens=64), seed=0
    )
    for (_, a), (_, b) in zip(model.model.named_parameters(), other.model.named_parameters(), strict=True):
        assert torch.equal(a, b)
    model.rewards(model.renderer.encode_many(bases.ROWS)).sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.model.named_parameters() if name in head}
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients.values())


def test_saving_adapters_leaves_the_model_as_it_was(folders: dict[str, Path], tmp_path: Path) -> None:
    model = fresh(folders["llama"], tuning="lora")
    before = {name: parameter.clone() for name, parameter in model.model.named_parameters()}
    model.save(tmp_path / "saved")
    assert all(torch.equal(before[name], parameter) for name, parameter in model.model.named_parameters())
    assert any("lora_" in name for name in load_file(tmp_path / "saved" / "adapter" / "adapter_model.safetensors"))
    assert not any("lora_" in name for name in load_file(tmp_path / "saved" / "model.safetensors"))


def test_a_reward_model_as_base_keeps_its_head(folders: dict[str, Path], tmp_path: Path) -> None:
    model = fresh(folders["llama"])
    model.save(tmp_path / "saved")
    again = RewardModel.from_base(ModelConfig(base=str(tmp_path / "saved"), max_tokens=64), seed=9)
    assert again.origin is not None
    assert again.origin.new_weights == ()
    np.testing.assert_allclose(
        again.score(again.renderer.encode_many(bases.ROWS)),
        model.score(model.renderer.encode_many(bases.ROWS)),
        atol=1e-5,
    )


def test_a_base_as_reward_model_is_refused(folders: dict[str, Path]) -> None:
    for kind in KINDS:
        with pytest.raises(ModelError, match="its rewards would be random"):
            RewardModel.load(folders[kind])


def test_a_trunk_that_is_not_whole_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = bases.save(tmp_path / "torn", "llama")
    weights = load_file(folder / "model.safetensors")
    del weights["layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights of the base .* \(model.layers.1.mlp.up_proj.weight\)"):
        RewardModel.from_base(ModelConfig(base=str(folder), max_tokens=64))


def test_a_head_that_was_not_saved_is_noticed(folders: dict[str, Path], tmp_path: Path) -> None:
    fresh(folders["llama"]).save(tmp_path / "saved")
    weights = load_file(tmp_path / "saved" / "model.safetensors")
    del weights["score.weight"]
    save_file(weights, tmp_path / "saved" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"score\.weight"):
        RewardModel.load(tmp_path / "saved")


def test_another_tokenizer_or_template_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    fresh(folders["llama"]).save(saved)
    template = (saved / "chat_template.jinja").read_text()
    (saved / "chat_template.jinja").write_text(template.replace("<|im_start|>", "<|im_start|> "))
    with pytest.raises(ArtifactError, match="the template found there would not give"):
        RewardModel.load(saved)
    (saved / "chat_template.jinja").write_text(template)
    RewardModel.load(saved)
    tokenizer = json.loads((saved / "tokenizer.json").read_text())
    tokenizer["model"]["merges"] = tokenizer["model"]["merges"][:-5]
    (saved / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ArtifactError, match="the tokenizer found there would not give"):
        RewardModel.load(saved)


def test_several_outputs_are_no_reward(folders: dict[str, Path], tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(folders["bert"], num_labels=2)
    model.save_pretrained(tmp_path)
    bases.wordpiece().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="2 outputs"):
        RewardModel.load(tmp_path)
    base = RewardModel.from_base(ModelConfig(base=str(tmp_path), max_tokens=64), seed=0)  # but a base it can be
    assert base.origin is not None
    assert base.origin.new_weights == ("classifier.bias", "classifier.weight")


def test_a_published_model_that_pads_with_its_eos_is_read_as_transformers_reads_it(tmp_path: Path) -> None:
    """Others' pooling trap is part of what their model learnt: scores must be theirs, not better ones."""
    ends = "{% for m in messages %}{{ m['content'] + ' ' }}{% if m.role == 'assistant' %}</s>{% endif %}{% endfor %}"
    tokenizer = bases.bpe(template=ends)
    folder = bases.save(tmp_path / "rm", "llama", tokenizer=tokenizer)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    model.save_pretrained(folder)
    ours = RewardModel.load(folder)
    rows = ours.renderer.encode_many(bases.ROWS)
    assert all(row.ids[-1] == 2 == model.config.pad_token_id for row in rows)
    np.testing.assert_allclose(ours.score(rows), plain_scores(folder, bases.ROWS), atol=1e-5)
    np.testing.assert_allclose(ours.score(rows, sharing="off"), plain_scores(folder, bases.ROWS), atol=1e-5)


def test_positions_are_counted_as_the_model_counts_them(folders: dict[str, Path]) -> None:
    for kind in KINDS:
        model = fresh(folders[kind])
        assert model.most_tokens == 128, kind
        row = Encoded(ids=(5,) * 128, prompt_tokens=1, type_ids=(0,) * 128 if kind == "bert" else None)
        model.score([row])
        longer = Encoded(ids=(5,) * 129, prompt_tokens=1, type_ids=(0,) * 129 if kind == "bert" else None)
        with pytest.raises(InputError, match="129 tokens; the model has positions for 128"):
            model.score([longer])


def test_options_that_cannot_be_are_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="positions for 128"):
        RewardModel.from_base(ModelConfig(base=str(folders["llama"]), max_tokens=129))
    with pytest.raises(ConfigError, match="lora_targets"):
        RewardModel.from_base(
            ModelConfig(base=str(folders["llama"]), tuning="lora", lora_targets=("nothing",), max_tokens=64)
        )


def test_4_bit_without_its_library_says_what_to_install(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"assay\[qlora\]"):
        RewardModel.from_base(ModelConfig(base=str(folders["llama"]), tuning="qlora", max_tokens=64))


def test_lora_targets_and_dropout_are_read(folders: dict[str, Path]) -> None:
    config = ModelConfig(base=str(folders["llama"]), tuning="lora", lora_targets=("q_proj",), lora_alpha=7, lora_rank=3,
                         lora_dropout=0.25, dropout=0.4, max_tokens=64)  # fmt: skip
    model = RewardModel.from_base(config, seed=0).model
    names = [name for name, _ in model.named_parameters() if "lora_A" in name]
    assert len(names) == 2
    assert all("q_proj" in name for name in names)
    lora = model.peft_config["default"]  # type: ignore[union-attr, index]
    assert (lora.r, lora.lora_alpha, lora.lora_dropout) == (3, 7, 0.25)
    assert model.config.attention_dropout == 0.4  # type: ignore[union-attr]


def test_no_rows() -> None:
    model = RewardModel.__new__(RewardModel)
    with pytest.raises(EmptyBatchError):
        rewards_padded(torch.nn.Linear(1, 1), [])
    assert model.score([]).shape == (0,)
    with pytest.raises(EmptyBatchError):
        model.layout([])


def test_left_padding_gives_positions(folders: dict[str, Path]) -> None:
    model = fresh(folders["gpt2"])
    rows = [Encoded(ids=(5, 6, 7), prompt_tokens=1), Encoded(ids=(8,), prompt_tokens=0)]
    batch = padded(model.model, rows, "left")
    pad = model.model.config.pad_token_id  # type: ignore[union-attr]
    assert batch["input_ids"].tolist() == [[5, 6, 7], [pad, pad, 8]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch["position_ids"].tolist() == [[0, 1, 2], [0, 0, 0]]


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="nothing-here"):
        RewardModel.load(tmp_path / "nothing-here")
