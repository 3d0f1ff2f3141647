"""Attention over a packed trie, as a function transformers can call: registered under the name `assay_trie`.

Knows queries, keys, values and where the branches are; knows no model. In depth-first order the tokens below a segment
are contiguous, so the whole of tree attention is two plain calls a segment: its own tokens causally, and all tokens
below it against its keys without a mask. Partial results are merged by their log-sum-exp, which is exact; the backward
pass runs the same calls with the merged log-sum-exp. No mask is built, nothing outside the trie is computed.

Letters: H heads, K key-value heads, G = H / K, L packed tokens, D head size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from assay.engine import flex
from assay.engine.trie import Segment, Trie

NAME = "assay_trie"
_FLEX = {"cuda"}  # device types on which FlexAttention runs forward and backward
_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class Packed:
    """One packed trie on a device, as the attention function needs it; masks are made only if a device needs them.

    `calls` counts the attention calls that used it: a model that never asks cannot be trusted with sharing.
    """

    def __init__(self, trie: Trie, device: torch.device) -> None:
        self.trie = trie
        self.segments = trie.segments()
        self.device = device
        self.calls = 0
        self._masks: dict[str, Any] = {}

    def ids(self) -> Tensor:
        return torch.from_numpy(self.trie.ids_L).to(self.device)[None]

    def positions(self, *, header: int = 0) -> Tensor:
        return torch.from_numpy(self.trie.positions_L + header).to(self.device)[None]

    def dense_mask(self, *, header: int = 0) -> Tensor:
        """Bool (1, 1, L, header + L), True where seen; every token sees all of the cached header. Made once."""
        if "dense" not in self._masks:
            mask_LL = torch.from_numpy(self.trie.mask_LL()).to(self.device)
            self._masks["dense"] = torch.cat([mask_LL.new_ones(len(mask_LL), header), mask_LL], dim=1)[None, None]
        mask: Tensor = self._masks["dense"]
        return mask

    def block_mask(self) -> Any:
        """FlexAttention's block mask of the same rule; made once."""
        if "block" not in self._masks:
            self._masks["block"] = flex.block_mask(self.trie.exits_L, self.device)
        return self._masks["block"]


_running: ContextVar[Packed | None] = ContextVar("assay_packed_trie", default=None)


@contextmanager
def running(packed: Packed) -> Iterator[None]:
    """Mark the shared forward pass, so that no L x L mask is made for it."""
    token = _running.set(packed)
    try:
        yield
    finally:
        _running.reset(token)


def attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of transformers' interface: over the trie given as `trie=`, else exactly transformers' own SDPA.

    query (1, H, L, D), key and value (1, K, L, D) -> (1, L, H, D). More keys than queries: the first ones are a cached
    header, seen by all. A sliding window passed here is no shorter than the longest row: `forward` has checked it.
    """
    packed: Packed | None = options.pop("trie", None)
    if packed is None:
        if _running.get() is not None:
            raise NotImplementedError("the model does not hand its keyword arguments on to the attention function")
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output, None
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise NotImplementedError("the model caps its attention scores or adds sinks to them")
    return _over_trie(module, query, key, value, packed, **options), None


# Every trie is other calls: there is nothing to compile, and tracing them would never end.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def _over_trie(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, packed: Packed, **options: Any
) -> Tensor:
    packed.calls += 1
    kind = query.device.type
    if torch.is_autocast_enabled(kind):  # as autocast does for SDPA: rotary positions leave queries and keys in float32
        query, key, value = (part.to(torch.get_autocast_dtype(kind)) for part in (query, key, value))
    scaling = options.get("scaling")
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    dropout = float(options.get("dropout") or 0.0)
    header = key.shape[2] - query.shape[2]
    if query.device.type in _FLEX and not dropout and flex.takes(query, key, value):
        return flex.attention(query, key, value, packed.block_mask(), scale)
    if query.device.type != "cpu" or dropout or value.shape[-1] != query.shape[-1]:
        output, _ = sdpa_attention_forward(module, query, key, value, packed.dense_mask(header=header), **options)
        return cast("Tensor", output)
    heads, shared = query.shape[1], key.shape[1]
    query_KGLD = query[0].view(shared, heads // shared, *query.shape[2:])
    output_LKGD: Tensor = _Cascade.apply(query_KGLD, key[0], value[0], packed.segments, scale)  # type: ignore[no-untyped-call]
    return output_LKGD.flatten(1, 2)[None]


class _Cascade(torch.autograd.Function):
    """Tree attention by CPU flash attention calls; gradients exact, memory linear in L."""

    @staticmethod
    def forward(  # noqa: PLR0917 (autograd's calling convention)
        ctx: Any, query_KGLD: Tensor, key_KLD: Tensor, value_KLD: Tensor, segments: tuple[Segment, ...], scale: float
    ) -> Tensor:
        kv_heads, group, tokens, size = query_KGLD.shape
        key, value = _spread(key_KLD, group), _spread(value_KLD, group)
        output_LKGD = query_KGLD.new_empty((tokens, kv_heads, group, size), dtype=torch.float32)
        output = output_LKGD.permute(1, 2, 0, 3)
        total = query_KGLD.new_empty((kv_heads, tokens, group), dtype=torch.float32).transpose(1, 2)
        for (first, last), (start, end), causal, fresh in _calls(segments, header=key_KLD.shape[1] - tokens):
            part, part_total = _flash(
                query_KGLD[:, :, first:last], key[:, :, start:end], value[:, :, start:end], 0.0, causal, scale=scale
            )
            here, here_total = output[:, :, first:last], total[:, :, first:last]
            if fresh:
                here.copy_(part)
                here_total.copy_(part_total)
            else:
                here.lerp_(part.float(), torch.sigmoid(part_total - here_total).unsqueeze(-1))
                torch.logaddexp(here_total, part_total, out=here_total)
        output_LKGD = output_LKGD.to(query_KGLD.dtype)
        ctx.save_for_backward(query_KGLD, key_KLD, value_KLD, output_LKGD, total)
        ctx.segments, ctx.scale = segments, scale
        return output_LKGD

    @staticmethod
    def backward(ctx: Any, gradient_LKGD: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query_KGLD, key_KLD, value_KLD, output_LKGD, total = ctx.saved_tensors
        group = query_KGLD.shape[1]
        key, value = _spread(key_KLD, group), _spread(value_KLD, group)
        output, gradient = output_LKGD.permute(1, 2, 0, 3), gradient_LKGD.permute(1, 2, 0, 3)
        to_query = _zeros_as_heads(query_KGLD)
        to_key, to_value = _zeros_as_heads(key_KLD), _zeros_as_heads(value_KLD)
        header = key_KLD.shape[1] - query_KGLD.shape[2]
        for (first, last), (start, end), causal, _ in _calls(ctx.segments, header=header):
            by_query, by_key, by_value = _flash_backward(
                gradient[:, :, first:last],
                query_KGLD[:, :, first:last],
                key[:, :, start:end],
                value[:, :, start:end],
                output[:, :, first:last],
                total[:, :, first:last],
                0.0,
                causal,
                scale=ctx.scale,
            )
            to_query[:, :, first:last] += by_query
            to_key[:, start:end] += by_key.sum(1)
            to_value[:, start:end] += by_value.sum(1)
        return to_query, to_key, to_value, None, None


def _calls(
    segments: tuple[Segment, ...], *, header: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int], bool, bool]]:
    """(query range, key range, causal, first to reach these queries) of every plain attention call, ancestors first."""
    if header:
        yield (0, segments[-1].exit), (0, header), False, True
    for start, end, exit_, depth in segments:
        keys, first = (header + start, header + end), depth == 0 and not header
        yield (start, end), keys, True, first
        if exit_ > end:
            yield (end, exit_), keys, False, first


def _spread(heads_KLD: Tensor, group: int) -> Tensor:
    """(K, L, D) seen as (K, G, L, D) without copying."""
    return heads_KLD.unsqueeze(1).expand(-1, group, -1, -1)


def _zeros_as_heads(like: Tensor) -> Tensor:
    """Zeros of shape (..., L, D) whose memory runs token by token, as the projection's backward wants it."""
    *heads, tokens, size = like.shape
    return like.new_zeros((tokens, *heads, size)).movedim(0, -2)


def _mask(*args: Any, **kwargs: Any) -> Any:
    """transformers' SDPA mask, or none at all inside a shared forward pass."""
    return None if _running.get() is not None else sdpa_mask(*args, **kwargs)


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)
