"""The drop-in takes over what it can give back exactly, and nothing else; and leaves models as it found them."""

from __future__ import annotations

import functools
from types import MethodType
from typing import Any

import pytest
import torch

from assay.engine.drop_in import LabelledOutput, shared_prefixes
from tests.support.engine_rows import ROWS, assert_close, padded
from tests.support.tiny_models import language_model, reward_model


def tokens_run(model: Any) -> list[int]:
    """Tokens that go through the first layer, call by call."""
    seen: list[int] = []
    model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: seen.append(args[0][..., 0].numel()))
    return seen


@pytest.mark.parametrize(
    "more",
    [
        {"use_cache": True},
        {"return_dict": False},
        {"output_attentions": True},
        {"position_ids": torch.arange(12)[None].repeat(6, 1) + 1},
        {"unheard_of": torch.ones(1)},
    ],
)
def test_other_questions_get_the_models_own_answer(more: dict[str, Any]) -> None:
    model, batch = language_model("llama").eval().base_model, padded(ROWS)
    model.set_attn_implementation("eager")
    seen: list[int] = []
    model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: seen.append(args[0][..., 0].numel()))
    plain = model(**batch, **more)
    with shared_prefixes(model):
        ours = model(**batch, **more)
    assert type(ours) is type(plain)
    assert seen[-1] == seen[0] == 72  # the rectangle of 6 x 12 as it came
    if "use_cache" in more:
        assert ours.past_key_values.get_seq_length() == 12


@pytest.mark.parametrize("mask", ["left", "holes", "four"])
def test_other_masks_get_the_models_own_answer(mask: str) -> None:
    model, batch = language_model("llama").eval(), padded(ROWS)
    if mask == "left":
        batch = {name: tensor.flip(1) for name, tensor in batch.items()}
    elif mask == "holes":
        batch["attention_mask"][0, 3] = 0
    else:
        batch["attention_mask"] = torch.ones(12, 12).tril().bool().expand(6, 1, 12, 12)
    plain, seen = model(**batch).logits, tokens_run(model)
    with shared_prefixes(model):
        assert_close(model(**batch).logits, plain)
    assert seen[-1] == 72  # after the probe


def test_position_numbers_of_another_shape_are_the_models_business() -> None:
    model, batch = language_model("llama"), padded(ROWS)
    with shared_prefixes(model), pytest.raises((ValueError, RuntimeError)) as raised:
        model(input_ids=batch["input_ids"], position_ids=torch.zeros(3, 6, 12, dtype=torch.long))
    assert "remapping" not in str(raised.value)


def test_nested_several_models_and_an_error_inside_leave_all_as_it_was() -> None:
    one, other, batch = reward_model("llama").eval(), reward_model("gpt2").eval(), padded(ROWS)
    plain = one(**batch).logits, other(**batch).logits

    def use() -> None:
        with shared_prefixes(one, other):
            with shared_prefixes(one):
                assert_close(one(**batch).logits, plain[0])
            assert_close(one(**batch).logits, plain[0])
            assert_close(other(**batch).logits, plain[1])
            raise KeyError

    with pytest.raises(KeyError):
        use()
    for model in (one, other):
        assert "forward" not in model.__dict__
        assert "forward" not in model.base_model.__dict__


def test_a_wrapper_put_on_inside_stays_and_sharing_ends() -> None:
    model, batch = language_model("llama").eval(), padded(ROWS)
    calls = []
    seen = tokens_run(model)
    with shared_prefixes(model):
        inner = model.base_model.forward

        @functools.wraps(inner)
        def counted(_self: Any, *args: Any, **kwargs: Any) -> Any:  # as accelerate wraps forward for autocast
            calls.append(1)
            return inner(*args, **kwargs)

        model.base_model.forward = MethodType(counted, model.base_model)
        model(**batch)
    model(**batch)
    assert len(calls) == 2
    assert seen[-2:] == [18, 72]


def fused(model: Any, **options: Any) -> Any:
    utils = pytest.importorskip("trl.trainer.utils")
    utils.add_fused_lm_head(model, **options)
    return model


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({}, True),
        ({"temperature": 0.5}, False),
        ({"outputs": ("log_probs", "log_sum_sq_probs")}, False),
        ({"cast_lm_head_to_fp32": True}, False),
    ],
)
def test_trls_output_layer_is_taken_over_only_if_it_is_the_models_own(options: dict[str, Any], taken: bool) -> None:
    model, batch = fused(language_model("llama").eval(), **options), padded(ROWS)
    batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    for items in (None, 1000):
        plain = model(**batch, fused_lm_head=True, num_items_in_batch=items)
        with shared_prefixes(model):
            ours = model(**batch, fused_lm_head=True, num_items_in_batch=items)
        assert isinstance(ours, LabelledOutput) == taken
        assert_close(ours.log_probs, plain.log_probs)
        assert_close(ours.loss, plain.loss)


def test_a_batch_without_a_label_gives_zeros_that_can_be_differentiated() -> None:
    model, batch = fused(language_model("llama")), padded(ROWS)
    batch["labels"] = torch.full_like(batch["input_ids"], -100)
    with shared_prefixes(model):
        loss = model(**batch, fused_lm_head=True).loss
    loss.backward()
    assert loss.item() == 0.0


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_output_layer_with_adapters_is_left_to_the_model() -> None:
    from peft import LoraConfig, get_peft_model

    model, batch = language_model("llama").eval(), padded(ROWS)
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "lm_head"], init_lora_weights=False))
    plain = tuned(**batch).logits
    mask = batch["attention_mask"].bool()
    with shared_prefixes(tuned):
        assert_close(tuned(**batch).logits[mask], plain[mask])
