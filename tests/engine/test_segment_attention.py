"""Tree attention against attention with the full mask."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from assay.engine.segment_attention import NotShareableError, Packed, attention
from assay.engine.trie import pack
from tests.support.engine_rows import ROWS, assert_close


class Module(torch.nn.Module):
    """What transformers hands to an attention function."""

    is_causal = True
    num_key_value_groups = 2


def inputs(tokens: int, *, header: int = 0) -> list[torch.Tensor]:
    torch.manual_seed(0)
    sizes = ((1, 4, tokens, 8), (1, 2, header + tokens, 8), (1, 2, header + tokens, 8))
    return [torch.randn(*size).requires_grad_() for size in sizes]


def masked(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    spread = (query, key.repeat_interleave(2, 1), value.repeat_interleave(2, 1))
    return scaled_dot_product_attention(*spread, attn_mask=mask, scale=0.3).transpose(1, 2)


def assert_same_function(ours: torch.Tensor, plain: torch.Tensor, tensors: list[torch.Tensor]) -> None:
    """Equal values, and equal gradients at `tensors`."""
    assert ours.shape == plain.shape
    assert_close(ours.detach(), plain.detach())
    weights = torch.randn_like(plain)
    for mine, theirs in zip(
        torch.autograd.grad((ours * weights).sum(), tensors),
        torch.autograd.grad((plain * weights).sum(), tensors),
        strict=True,
    ):
        assert_close(mine, theirs)


@pytest.mark.parametrize("header", [0, 5])
def test_output_and_gradients_equal_attention_with_the_full_mask(header: int) -> None:
    packed = Packed(pack(ROWS), torch.device("cpu"))
    tensors = inputs(packed.trie.tokens, header=header)
    plain = masked(*tensors, packed.dense_mask(header=header))
    ours, _ = attention(Module(), *tensors, None, trie=packed, scaling=0.3)
    assert_same_function(ours, plain, tensors)
    assert packed.calls == 1


def test_attention_dropout_takes_the_masked_way() -> None:
    packed = Packed(pack(ROWS), torch.device("cpu"))
    tensors = inputs(packed.trie.tokens)
    ours, _ = attention(Module(), *tensors, None, trie=packed, scaling=0.3, dropout=1e-9)
    assert_close(ours.detach(), masked(*tensors, packed.dense_mask()).detach())


def test_scores_that_are_capped_are_not_taken() -> None:
    packed = Packed(pack(ROWS), torch.device("cpu"))
    with pytest.raises(NotShareableError, match="caps"):
        attention(Module(), *inputs(packed.trie.tokens), None, trie=packed, softcap=30.0)
