"""Answers: transformers' own when greedy, of the model's distribution when drawn, and the same bits in any company."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor
from transformers import AutoModelForCausalLM, Gemma3TextConfig

from assay.engine import generate as engine
from assay.engine.generate import Room, generate
from assay.engine.generate_probe import refusal
from assay.engine.prefill import CHUNK, Prefills
from assay.engine.trunk_calls import run_logits
from assay.engine.written import Decoding, Wanted, Written
from assay.errors import InputError
from assay.models.catalogue import CATALOGUE, place_of
from tests.support.tiny_models import FAMILIES, GROUPED, language_model

END = 2
DRAW = np.random.default_rng(0)
PROMPTS = [tuple(DRAW.integers(3, 96, size).tolist()) for size in (5, 17, 1, 33, 16, 30, 44)]
PLAIN = {"gemma2"}  # of which the attention cannot be taken over: it caps its scores


def greedy(model: Any, prompt: Sequence[int], most: int) -> list[int]:
    ids = torch.tensor([list(prompt)])
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=most, eos_token_id=END, pad_token_id=0
    )
    return out[0, len(prompt) :].tolist()


def wanted(prompts: Sequence[tuple[int, ...]], n: int) -> list[Wanted]:
    return [Wanted(row=prompt, seed=1000 * p + k) for p, prompt in enumerate(prompts) for k in range(n)]


def answers(model: Any, asked: Sequence[Wanted], decoding: Decoding, **options: Any) -> list[Written]:
    found = dict(generate(model, asked, decoding, **options))
    assert sorted(found) == list(range(len(asked)))
    return [found[place] for place in range(len(asked))]


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_answers_are_transformers_own(family: str) -> None:
    model, said = language_model(family).eval(), []
    decoding = Decoding(most=18, temperature=0.0, ends=frozenset({END}))
    found = answers(model, wanted(PROMPTS, 1), decoding, said=said.append)
    assert [list(one.ids) for one in found] == [greedy(model, prompt, 18) for prompt in PROMPTS]
    assert bool(said) == (family in PLAIN)
    for one in found:
        assert one.finish == ("stop" if one.ids[-1] == END else "length")


def test_layers_with_a_window_and_without() -> None:
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        **GROUPED | {"num_hidden_layers": 4}, sliding_window=12, query_pre_attn_scalar=8,
        layer_types=["sliding_attention", "full_attention"] * 2,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8.0 if parameter.ndim == 2 else 1.0)
    assert refusal(model, 62) is None
    decoding = Decoding(most=18, temperature=0.0, ends=frozenset({END}))
    found = answers(model, wanted(PROMPTS, 2), decoding)
    assert [list(one.ids) for one in found[::2]] == [greedy(model, prompt, 18) for prompt in PROMPTS]


def bits(model: Any, asked: Sequence[Wanted], decoding: Decoding, room: Room | None = None) -> dict[Wanted, list[str]]:
    """The hash of the logits from which each token of each answer was drawn."""
    found: dict[Wanted, list[str]] = {}

    class Watched(engine._Writing):
        def _draw(self, under_way: Any, logits_MV: Tensor) -> None:
            for answer, logits_V in zip(under_way, logits_MV, strict=True):
                digest = hashlib.md5(logits_V.float().numpy().tobytes(), usedforsecurity=False).hexdigest()
                found.setdefault(asked[answer.place], []).append(digest)
            super()._draw(under_way, logits_MV)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_Writing", Watched)
        dict(generate(model, asked, decoding, room=room))
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bf16"])
@pytest.mark.parametrize(
    "family",
    ["llama", "gpt2", *(pytest.param(one, marks=pytest.mark.slow) for one in ("qwen3", "gpt_neox"))],
)
def test_the_bits_are_the_same_in_any_company(family: str, dtype: torch.dtype, one_thread: None) -> None:
    model, asked = language_model(family).to(dtype).eval(), wanted(PROMPTS, 5)
    decoding = Decoding(most=18, ends=frozenset({END}))
    together = bits(model, asked, decoding)
    assert len(together) == len(asked)
    for at_once in (1, 3, 7, 16):
        assert bits(model, asked[::-1], decoding, Room(at_once=at_once)) == together
    for one in asked[::6]:
        assert bits(model, [one], decoding)[one] == together[one]


@pytest.mark.slow
@pytest.mark.skipif(not place_of(CATALOGUE["smollm2"]).is_dir(), reason="smollm2 is not installed (assay models get)")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_bits_of_a_real_model_are_the_same_in_any_company(threads: int) -> None:
    folder = place_of(CATALOGUE["smollm2"])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    header = DRAW.integers(3, 40_000, 70).tolist()
    prompts = [(*header, *DRAW.integers(3, 40_000, size).tolist()) for size in (5, 31)]
    prompts += [tuple(DRAW.integers(3, 40_000, size).tolist()) for size in (13, 90)]
    asked, decoding, before = wanted(prompts, 3), Decoding(most=5), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = bits(model, asked, decoding)
        for at_once in (1, 5):
            assert bits(model, asked[::-1], decoding, Room(at_once=at_once)) == together
        assert bits(model, asked[:1], decoding)[asked[0]] == together[asked[0]]
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.skipif(not place_of(CATALOGUE["smollm2"]).is_dir(), reason="smollm2 is not installed (assay models get)")
def test_a_real_model_in_bf16_is_written_in_lanes() -> None:
    # On rows of its first ids, which are markers of turns, bf16's rounding alone looked like a disagreement.
    model = AutoModelForCausalLM.from_pretrained(place_of(CATALOGUE["smollm2"]), dtype=torch.bfloat16).eval()
    assert refusal(model, 100) is None


def test_a_shared_beginning_changes_no_bit(one_thread: None) -> None:
    config = dict(GROUPED) | {"max_position_embeddings": 512}
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(type(FAMILIES["llama"])(**config)).eval()
    header = DRAW.integers(3, 96, 2 * CHUNK + 7).tolist()
    prompts = [(*header, *DRAW.integers(3, 96, size).tolist()) for size in (1, 9, 40)]
    shared = Prefills(model)
    for prompt in prompts:
        found, alone = shared.run(np.array(prompt)), Prefills(model).run(np.array(prompt))
        assert torch.equal(found.last_H, alone.last_H)
        for ours, theirs in zip(found.layers, alone.layers, strict=True):
            assert all(torch.equal(*parts) for parts in zip(ours, theirs, strict=True))
    assert shared.shared == 2 * 2 * CHUNK
    assert shared.computed == sum(map(len, prompts)) - shared.shared


def test_drawn_answers_have_the_model_s_distribution() -> None:
    model = language_model("llama").eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(0.3)  # that not one token takes all
    prompt, count = PROMPTS[0], 6000
    found = answers(model, [Wanted(row=prompt, seed=seed) for seed in range(count)], Decoding(most=2))
    with torch.no_grad():
        first_V = run_logits(model, prompt)[-1].double().softmax(0)
        second_VV = torch.stack([run_logits(model, (*prompt, one))[-1].double().softmax(0) for one in range(96)])
    for place, expected_V in enumerate((first_V, first_V @ second_VV)):
        seen = Counter(one.ids[place] for one in found)
        often = [token for token in range(96) if expected_V[token] * count >= 5]
        assert len(often) > 10
        observed, expected = [seen[token] for token in often], [float(expected_V[token]) * count for token in often]
        if (rest := count - sum(expected)) > 1e-6:
            observed, expected = [*observed, count - sum(observed)], [*expected, rest]
        assert chisquare(observed, expected).pvalue > 1e-3


def test_little_room_changes_time_only() -> None:
    model, asked = language_model("llama").eval(), wanted(PROMPTS, 6)
    decoding = Decoding(most=12, temperature=0.8, top_p=0.9)
    much = answers(model, asked, decoding)
    assert answers(model, asked, decoding, room=Room(at_once=4, cache_tokens=80)) == much
    assert answers(model, asked, decoding, room=Room(at_once=1, cache_tokens=1)) == much  # one prompt always fits


def test_a_stop_ends_an_answer_and_is_asked_after_each_token() -> None:
    model, asked = language_model("llama").eval(), wanted(PROMPTS, 3)
    whole = answers(model, asked, Decoding(most=12))
    cut = answers(model, asked, Decoding(most=12), stopped=lambda ids: len(ids) == 5)
    assert [one.ids for one in cut] == [one.ids[:5] for one in whole]
    assert {one.finish for one in cut} == {"stop"}


@pytest.mark.parametrize("family", sorted(PLAIN))
def test_the_plain_way_keeps_the_same_promises(family: str, one_thread: None) -> None:
    model, asked = language_model(family).eval(), wanted(PROMPTS[:3], 10)
    decoding = Decoding(most=6, ends=frozenset({END}))
    together = answers(model, asked, decoding)
    assert answers(model, asked[::-1], decoding)[::-1] == together
    assert [answers(model, [one], decoding)[0] for one in asked[::7]] == together[::7]
    cut = answers(model, asked, decoding, stopped=lambda ids: len(ids) == 2)
    assert [one.ids for one in cut] == [one.ids[:2] for one in together]


def test_what_the_model_has_no_positions_for_is_refused() -> None:
    model = language_model("llama").eval()
    with pytest.raises(InputError, match="65 tokens; the model has positions for 64"):
        list(generate(model, [Wanted(row=(5,) * 45, seed=0)], Decoding(most=20)))
    assert not list(generate(model, [], Decoding(most=20)))
