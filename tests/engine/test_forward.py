"""The packed forward pass equals the plain one: hidden states, losses, every gradient, optimiser steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.engine import can_share
from assay.engine.drop_in import shared_prefixes
from assay.engine.forward import last_hidden, refusal
from assay.errors import EmptyBatchError, InputError, ModelError
from tests.support.engine_rows import OLD_NAMES, ROWS, assert_close, loss_and_gradients, padded, pairs
from tests.support.tiny_models import FAMILIES, GROUPED, language_model, reward_model
from tests.support.unshared import plain_last_hidden


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_equal_the_plain_forward(family: str) -> None:
    model = reward_model(family).eval()
    with torch.no_grad():
        plain = plain_last_hidden(model, ROWS)
        assert refusal(model, ROWS) is None
        assert_close(last_hidden(model, ROWS), plain)


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_every_gradient_equal_the_plain_ones(family: str) -> None:
    model, rows = reward_model(family), pairs(6)
    plain_loss, plain = loss_and_gradients(model, plain_last_hidden, rows)
    loss, ours = loss_and_gradients(model, last_hidden, rows)
    assert_close(loss, plain_loss)
    assert ours.keys() == plain.keys()
    for name in plain:
        assert_close(ours[name], plain[name])


@pytest.mark.parametrize("family", ["llama", "gemma", "gpt2"])
def test_ten_optimiser_steps_end_at_the_same_weights(family: str) -> None:
    ends, losses = [], []
    for hidden in (plain_last_hidden, last_hidden):
        model = reward_model(family)
        optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
        for step in range(10):
            loss, _ = loss_and_gradients(model, hidden, pairs(4, seed=step))
            optimiser.step()
            losses.append(loss)
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert_close(torch.stack(losses[10:]), torch.stack(losses[:10]))
    assert_close(ends[1], ends[0])


def test_bf16_differs_no_more_than_bf16_itself_does() -> None:
    exact = reward_model("llama").eval()
    half = reward_model("llama", dtype=torch.bfloat16).eval()
    with torch.no_grad():
        truth = plain_last_hidden(exact, ROWS)
        noise = (plain_last_hidden(half, ROWS).float() - truth).abs().mean()
        assert (last_hidden(half, ROWS).float() - truth).abs().mean() <= 1.25 * noise


@OLD_NAMES
def test_gradient_checkpointing_changes_no_gradient() -> None:
    model, rows = reward_model("llama").train(), pairs(4)
    plain_loss, plain = loss_and_gradients(model, plain_last_hidden, rows)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    loss, ours = loss_and_gradients(model, last_hidden, rows)
    assert_close(loss, plain_loss)
    for name in plain:
        assert_close(ours[name], plain[name])


@OLD_NAMES
def test_lora_gradients_equal_the_plain_ones() -> None:
    from peft import LoraConfig, TaskType, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, target_modules="all-linear", init_lora_weights=False)
    model, rows = get_peft_model(reward_model("llama"), config), pairs(4)
    _, plain = loss_and_gradients(model, plain_last_hidden, rows)
    _, ours = loss_and_gradients(model, last_hidden, rows)
    assert any("lora" in name for name in plain)
    for name in plain:
        assert_close(ours[name], plain[name])


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_any_rows_in_any_order_and_batch_give_the_same(rows: list[list[int]], random: Any) -> None:
    model = _model()
    order = list(range(len(rows)))
    random.shuffle(order)
    with torch.no_grad():
        together = last_hidden(model, rows)
        shuffled = last_hidden(model, [rows[n] for n in order])
        alone = torch.cat([last_hidden(model, [row]) for row in rows])
        assert_close(together, plain_last_hidden(model, rows))
        assert_close(shuffled, together[order])
        assert_close(alone, together)


_MODELS: list[Any] = []


def _model() -> Any:
    if not _MODELS:
        _MODELS.append(reward_model("llama").eval())
    return _MODELS[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_drop_in_gives_callers_what_they_had(family: str) -> None:
    model, batch = reward_model(family), padded(pairs(4))
    plain = model(**batch).logits
    with shared_prefixes(model):
        assert_close(model(**batch).logits, plain)
    assert "forward" not in model.base_model.__dict__


def test_drop_in_runs_fewer_tokens() -> None:
    model, batch = reward_model("llama"), padded(ROWS)
    seen: list[int] = []
    model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: seen.append(args[0][..., 0].numel()))
    with shared_prefixes(model):
        model(**batch)
    model(**batch)
    assert seen[-2:] == [
        18,
        72,
    ]  # 7 of the prompt, 3 and 4 after it (30 is shared), 3 after the shared 1, and 77; padded 6 x 12


def test_drop_in_leaves_alone_what_it_cannot_take_over() -> None:
    model = language_model("gpt2").eval()
    batch = padded(ROWS)
    left = {name: tensor.flip(1) for name, tensor in batch.items()}
    plain = model(**left).logits
    states = model(**batch, output_hidden_states=True).hidden_states
    with shared_prefixes(model):
        assert torch.equal(model(**left).logits, plain)  # learned positions: left padding moves every token
        assert len(model(**batch, output_hidden_states=True).hidden_states) == len(states)
        assert model.generate(batch["input_ids"][:2, :3], max_new_tokens=3, do_sample=False).shape == (2, 6)


def test_window_shorter_than_a_row_falls_back_and_says_so() -> None:
    model = reward_model("mistral").eval()
    long = [[1] * 45 + [5], [1] * 45 + [6]]
    reason = refusal(model, long)
    assert reason is not None
    assert "46 tokens" in reason
    assert "window is 40" in reason
    with torch.no_grad():
        assert_close(last_hidden(model, long), plain_last_hidden(model, long))
        with shared_prefixes(model):
            assert_close(model(**padded(long)).logits, model.score(plain_last_hidden(model, long)))


def test_encoders_are_refused_with_a_reason() -> None:
    from transformers import BertConfig, BertModel

    small = {k: v for k, v in GROUPED.items() if k not in {"num_key_value_heads", "head_dim"}}
    model = BertModel(BertConfig(**small))
    assert "both directions" in str(refusal(model, ROWS))
    with shared_prefixes(model):
        assert "forward" not in model.__dict__


def test_state_space_models_are_refused_with_a_reason() -> None:
    from transformers import MambaConfig, MambaModel

    model = MambaModel(MambaConfig(vocab_size=96, hidden_size=16, num_hidden_layers=1, state_size=4))
    assert "state-space" in str(refusal(model, ROWS))


@OLD_NAMES
def test_prefix_tuning_is_refused_with_a_reason() -> None:
    from peft import PrefixTuningConfig, TaskType, get_peft_model

    config = PrefixTuningConfig(task_type=TaskType.SEQ_CLS, num_virtual_tokens=3)
    assert "learnt tokens" in str(refusal(get_peft_model(reward_model("llama"), config), ROWS))


def test_a_model_that_disagrees_with_its_probe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = reward_model("llama")
    monkeypatch.setattr(can_share, "agrees", lambda *_ways, **_limits: False)
    assert "probe" in str(refusal(model, ROWS))


def test_bad_input_is_named() -> None:
    model = _model()
    with pytest.raises(EmptyBatchError, match="no rows"):
        last_hidden(model, [])
    with pytest.raises(InputError, match="row 1"):
        last_hidden(model, [[1], []])
    with pytest.raises(InputError, match="65 tokens; the model has positions for 64"):
        last_hidden(model, [[1] * 65])
    with pytest.raises(ModelError, match="not a transformers model"):
        last_hidden(torch.nn.Linear(2, 2), ROWS)


def test_ordinary_calls_of_the_model_stay_what_they_were() -> None:
    model = reward_model("llama").eval()
    before = model(**padded(ROWS)).logits
    assert can_share.ability(model).kernel == "segments"
    assert torch.equal(model(**padded(ROWS)).logits, before)
