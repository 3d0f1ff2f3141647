"""The CUDA way, on a CPU: block mask, filling and heads against the dense mask, in FlexAttention's plain form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import flex_attention as torch_flex
from torch.nn.functional import scaled_dot_product_attention

from assay.engine import flex_attention, segment_attention
from assay.engine.can_share import ability
from assay.engine.forward import last_hidden
from assay.engine.kept_prompt import keeps_prompts
from assay.engine.trie import Trie, pack
from tests.engine.test_kept_prompt import assert_same, kept_between, plainly
from tests.engine.test_segment_attention import assert_same_function
from tests.support.engine_rows import OLD_NAMES, assert_close, loss_and_gradients, pairs
from tests.support.tiny_models import reward_model
from tests.support.unshared import plain_last_hidden

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


@pytest.fixture
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """FlexAttention for CPU tensors too, not compiled, gradients allowed; returns the lengths it was called with."""
    lengths: list[int] = []

    def plain(*args: Any, training: bool, **options: Any) -> Any:
        lengths.append(args[0].shape[2])
        return torch_flex.flex_attention(*args, **options)

    monkeypatch.setattr(segment_attention, "_FLEX", {"cuda", "cpu"})
    monkeypatch.setattr(flex_attention, "compile_friendly_flex_attention", plain)
    monkeypatch.setattr(flex_attention, "SMALLEST_HEAD", 8)
    monkeypatch.setattr(torch_flex, "_validate_device", lambda *_: None)  # it refuses gradients on a CPU
    monkeypatch.setattr(torch_flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    return lengths


def blocks_by_hand(trie: Trie) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Touched and full blocks, from the whole mask."""
    count = -(-trie.tokens // flex_attention.BLOCK)
    mask = np.eye(count * flex_attention.BLOCK, dtype=bool)
    mask[: trie.tokens, : trie.tokens] = trie.mask_LL()
    blocks = mask.reshape(count, flex_attention.BLOCK, count, flex_attention.BLOCK)
    return blocks.any(axis=(1, 3)), blocks.all(axis=(1, 3))


def chosen(counts: torch.Tensor, order: torch.Tensor) -> np.ndarray[Any, Any]:
    found = np.zeros(order.shape[2:], dtype=bool)
    for query, count in enumerate(counts[0, 0].tolist()):
        found[query, order[0, 0, query, :count].tolist()] = True
    return found


def long_rows(seed: int) -> list[list[int]]:
    random = np.random.default_rng(seed)
    prompts = [random.integers(3, 96, size).tolist() for size in random.integers(1, 400, 3)]
    return [prompts[n % 3] + random.integers(3, 96, random.integers(1, 300)).tolist() for n in range(6)]


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_blocks_are_those_of_the_whole_mask(seed: int) -> None:
    trie = pack(long_rows(seed))
    mask = flex_attention.block_mask(trie.exits_L, torch.device("cpu"))
    touched, full = blocks_by_hand(trie)
    assert (chosen(mask.kv_num_blocks, mask.kv_indices) == touched & ~full).all()
    assert (chosen(mask.full_kv_num_blocks, mask.full_kv_indices) == full).all()
    assert mask.shape == (1, 1, len(touched) * flex_attention.BLOCK, len(touched) * flex_attention.BLOCK)


@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (6, 2)])
def test_output_and_gradients_equal_the_dense_mask(heads: tuple[int, int], on_cpu: list[int]) -> None:
    torch.manual_seed(0)
    packed = segment_attention.Packed(pack(long_rows(1)), torch.device("cpu"))
    sizes = ((1, count, packed.trie.tokens, 8) for count in (heads[0], heads[1], heads[1]))
    tensors = [torch.randn(*size).requires_grad_() for size in sizes]
    ours, _ = segment_attention.attention(torch.nn.Module(), *tensors, None, trie=packed, scaling=0.3)
    spread = [part.repeat_interleave(heads[0] // part.shape[1], 1) for part in tensors]
    plain = scaled_dot_product_attention(*spread, attn_mask=packed.dense_mask(), scale=0.3).transpose(1, 2)
    assert len(on_cpu) == 1
    assert on_cpu[0] % flex_attention.BLOCK == 0
    assert_same_function(ours, plain, tensors)


@pytest.mark.parametrize("before", [5, 128, 200])
def test_keys_of_an_earlier_pass_stand_before_all_rows(before: int, on_cpu: list[int]) -> None:
    torch.manual_seed(0)
    device, trie = torch.device("cpu"), pack(long_rows(2))
    mask = flex_attention.block_mask(trie.exits_L, device, before=before)
    touched, full = blocks_by_hand(trie)
    ahead = -(-before // flex_attention.BLOCK)
    mixed = chosen(mask.kv_num_blocks, mask.kv_indices)
    assert (mixed[:, ahead:] == touched & ~full).all()
    assert mixed[:, :ahead].sum() == (before % flex_attention.BLOCK > 0) * len(touched)  # the one filled up
    kept = [torch.randn(1, 2, before, 8).requires_grad_() for _ in range(2)]
    packed = segment_attention.Packed(trie, device, before={3: (kept[0], kept[1])})
    layer = torch.nn.Module()
    layer.layer_idx = 3
    tensors = [torch.randn(1, heads, trie.tokens, 8).requires_grad_() for heads in (4, 2, 2)]
    ours, _ = segment_attention.attention(layer, *tensors, None, trie=packed, scaling=0.3)
    assert len(on_cpu) == 1, "the masked way was taken"
    keys = [torch.cat([kept[n], tensors[n + 1]], 2).repeat_interleave(2, 1) for n in (0, 1)]
    mask_LT = packed.dense_mask(header=before)
    plain = scaled_dot_product_attention(tensors[0], *keys, attn_mask=mask_LT, scale=0.3).transpose(1, 2)
    assert_same_function(ours, plain, [*tensors, *kept])


def test_a_kept_prompt_gives_the_plain_loss_and_gradients(on_cpu: list[int]) -> None:
    model = reward_model("llama").train()
    assert keeps_prompts(model)
    plain = plainly(model)
    on_cpu.clear()
    assert_same(kept_between(model), plain)
    assert len(on_cpu) == 2 * 5  # two layers of the prompt, three passes, and the prompt again


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2"])
def test_models_give_the_plain_loss_and_gradients(family: str, on_cpu: list[int]) -> None:
    model, rows = reward_model(family), pairs(6)
    plain_loss, plain = loss_and_gradients(model, plain_last_hidden, rows)
    loss, ours = loss_and_gradients(model, last_hidden, rows)
    assert ability(model).kernel == "segments"
    assert on_cpu[-1] == 2 * flex_attention.BLOCK or on_cpu[-1] == flex_attention.BLOCK
    assert_close(loss, plain_loss)
    for name in plain:
        assert_close(ours[name], plain[name])


@OLD_NAMES
def test_gradient_checkpointing_runs_it_again(on_cpu: list[int]) -> None:
    model, rows = reward_model("llama").train(), pairs(4)
    _, plain = loss_and_gradients(model, last_hidden, rows)
    before = len(on_cpu)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    _, ours = loss_and_gradients(model, last_hidden, rows)
    assert len(on_cpu) == before + 4  # two layers, forward and again
    for name in plain:
        assert_close(ours[name], plain[name])


@pytest.mark.parametrize(("size", "value", "header"), [(8, 8, 0), (16, 32, 0), (16, 16, 5)])
def test_shapes_its_kernels_do_not_take_go_the_masked_way(size: int, value: int, header: int) -> None:
    query, key = torch.zeros(1, 2, 9, size), torch.zeros(1, 2, header + 9, size)
    assert not flex_attention.takes(query, key, torch.zeros(1, 2, header + 9, value))
    assert flex_attention.takes(torch.zeros(1, 2, 9, 64), torch.zeros(1, 1, 9, 64), torch.zeros(1, 1, 9, 64))


@pytest.mark.slow
def test_every_line_of_the_cuda_benchmark_that_a_cpu_can_run_runs(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "bench_cuda.py"
    options = ["--device", "cpu", "--tiny", "--pairs", "2", "--repeats", "1", "--out", str(tmp_path / "cuda.json")]
    done = subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = json.loads((tmp_path / "cuda.json").read_text(encoding="utf-8"))["runs"]
    assert [run["contender"] for run in runs] == ["padded", "padding_free", "dense", "flex"] * 2
