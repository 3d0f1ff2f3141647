"""Encoder rows side by side give what a padded batch gives, or are not run so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from assay.engine.compiled import compile_layers
from assay.models.device_and_mode import evaluating
from assay.render.encoder import Encoded
from assay.rewards.encoder_forward import may_stand_side_by_side, rewards_side_by_side, stands_side_by_side
from assay.rewards.padded_forward import rewards_padded

SIZE: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 80,
    "num_labels": 1,
}
QUIET: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
TAKEN: dict[str, PreTrainedConfig] = {
    "bert": BertConfig(**SIZE, **QUIET, pad_token_id=0),
    "roberta": RobertaConfig(**SIZE, **QUIET, pad_token_id=1),
    "distilbert": DistilBertConfig(
        vocab_size=96, dim=32, hidden_dim=48, n_layers=2, n_heads=4, max_position_embeddings=80, num_labels=1,
        dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0, pad_token_id=0,
    ),
    "electra": ElectraConfig(**SIZE, **QUIET, embedding_size=16, pad_token_id=0),
}  # fmt: skip
REFUSED: dict[str, PreTrainedConfig] = {
    "albert: a pooler that is a bare layer": AlbertConfig(
        **SIZE, **QUIET, embedding_size=16, pad_token_id=0, classifier_dropout_prob=0.0
    ),
    "mpnet: attention of its own": MPNetConfig(**SIZE, **QUIET, pad_token_id=1),
    "deberta: relative places": DebertaV2Config(
        **SIZE, **QUIET, pad_token_id=0, relative_attention=True, position_buckets=8, pos_att_type=["c2p", "p2c"]
    ),
    "modernbert: windows": ModernBertConfig(**SIZE, pad_token_id=0, global_attn_every_n_layers=2, local_attention=8),
}


def model_of(config: PreTrainedConfig, *, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(
        type(config).from_dict(config.to_dict()), attn_implementation=None
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))  # biases are 0 in a new model, and would hide faults
    return model.eval()


def rows(*, types: bool, lengths: tuple[int, ...] = (9, 4, 30, 4, 9, 9, 17)) -> list[Encoded]:
    draw = np.random.default_rng(1)
    return [
        Encoded(
            ids=tuple(draw.integers(3, 96, length).tolist()),
            prompt_tokens=1,
            type_ids=tuple((np.arange(length) > length // 2).astype(int).tolist()) if types else None,
        )
        for length in lengths
    ]


@pytest.mark.parametrize("kind", TAKEN)
def test_rewards_and_gradients_are_those_of_a_padded_batch(kind: str) -> None:
    model, some = model_of(TAKEN[kind]), rows(types=kind in {"bert", "electra"})
    assert stands_side_by_side(model)
    found = []
    for run in (rewards_padded, rewards_side_by_side):
        model.zero_grad()
        reward_N = run(model, some)
        (reward_N * torch.arange(1.0, 8.0)).sum().backward()  # type: ignore[no-untyped-call]
        found.append((reward_N.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}))
    (theirs, their_gradients), (ours, our_gradients) = found
    assert theirs.std() > 1e-2, "rewards that hardly differ would show nothing"
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert our_gradients.keys() == their_gradients.keys()
    for name, gradient in their_gradients.items():
        assert (our_gradients[name] - gradient).abs().max() <= 1e-5 * max(1.0, gradient.abs().max()), name


@pytest.mark.parametrize("kind", TAKEN)
def test_a_reward_does_not_depend_on_what_stands_beside(kind: str) -> None:
    model, some = model_of(TAKEN[kind]), rows(types=False)
    with evaluating(model):
        alone = torch.cat([rewards_padded(model, [row]) for row in some])
        torch.testing.assert_close(rewards_side_by_side(model, some), alone, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(rewards_side_by_side(model, some[::-1]).flip(0), alone, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(rewards_side_by_side(model, some[:1]), alone[:1], rtol=1e-5, atol=1e-5)


def test_a_padding_token_inside_a_row_takes_no_position() -> None:
    model = model_of(TAKEN["roberta"])
    (row,) = rows(types=False, lengths=(8,))
    odd = Encoded(ids=(*row.ids[:3], 1, *row.ids[4:]), prompt_tokens=1)
    with evaluating(model):
        torch.testing.assert_close(
            rewards_side_by_side(model, [odd, row]), rewards_padded(model, [odd, row]), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("kind", REFUSED)
def test_models_that_differ_are_not_run_so(kind: str) -> None:
    assert not stands_side_by_side(model_of(REFUSED[kind]))


def test_a_head_that_reads_all_tokens_is_seen() -> None:
    config = ModernBertConfig(**SIZE, pad_token_id=0, global_attn_every_n_layers=1, classifier_pooling="mean")
    assert not stands_side_by_side(model_of(config))


def test_wrong_positions_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.rewards.encoder_forward.numbered_past", lambda _: None)
    assert not stands_side_by_side(model_of(TAKEN["roberta"]))


def test_eager_attention_is_not_taught() -> None:
    model = model_of(TAKEN["bert"])
    model.config._attn_implementation = "eager"
    assert not stands_side_by_side(model)


def test_dropout_is_drawn_and_nothing_stays_on_the_model() -> None:
    model = model_of(BertConfig(**SIZE, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.5)).train()
    some = rows(types=False)
    torch.manual_seed(0)
    first = rewards_side_by_side(model, some)
    assert not torch.equal(first, rewards_side_by_side(model, some))
    torch.manual_seed(0)
    assert torch.equal(first, rewards_side_by_side(model, some))
    assert "forward" not in model.bert.__dict__


def test_bf16_on_a_cpu_stays_padded() -> None:
    model = model_of(TAKEN["bert"])
    assert may_stand_side_by_side(model)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not may_stand_side_by_side(model)


@pytest.mark.filterwarnings("default")  # torch.compile's own imports and looks at tensors warn
@pytest.mark.slow
def test_compiled_layers_give_the_same() -> None:
    model, some = model_of(TAKEN["bert"]), rows(types=False)
    plain = rewards_side_by_side(model, some).detach()
    compile_layers(model, lambda rows: rewards_side_by_side(model, rows), precision="float32")
    torch.testing.assert_close(rewards_side_by_side(model, some).detach(), plain, rtol=1e-5, atol=1e-5)
