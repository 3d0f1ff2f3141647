"""Attention over a packed trie, segment by segment, as a function that transformers calls: its own, taught to take one.

In depth-first order the tokens below a segment are contiguous, so the whole of tree attention is two plain calls a
segment: its own tokens causally, and all tokens below it against its keys without a mask. No mask is built, nothing
outside the trie is computed. Knows queries, keys, values and where the branches are; knows no model.

Why partial results can be merged exactly. A query's attention over a set A of keys is o_A = sum_A exp(s_j) v_j / Z_A
with Z_A = sum_A exp(s_j), and a call gives back o_A and t_A = log Z_A. Over two disjoint sets, A then B, numerators and
denominators add: o = (Z_A o_A + Z_B o_B) / (Z_A + Z_B) = o_A + w (o_B - o_A) with w = Z_B / (Z_A + Z_B) = sigmoid(t_B -
t_A), and t = log(Z_A + Z_B) = logaddexp(t_A, t_B). That is a lerp and a logaddexp a call, with no exponential that
could overflow, and it holds in any order of the sets.

Why the backward pass needs nothing else. The gradient at s_j is p_j (dO . v_j - dO . o) with p_j = exp(s_j - t): with
the merged o and t in hand, each call's share is what its own backward pass gives, and the shares add up. So the same
calls run again, each handed the merged output and log-sum-exp in place of its own; no partial result is kept in
between.

No model is changed for it: what is taught stands in transformers' own table, under the name the model already asks for,
and calls without a trie go on to what stood there.

Letters: H heads, K key-value heads, G = H / K, L packed tokens, D head size.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from assay.engine import flex_attention
from assay.engine.lane_attention import KeyValue, Lanes
from assay.engine.side_by_side import SideBySide, unknown
from assay.engine.side_by_side import attention as by_rows
from assay.engine.trie import Segment, Trie

# Eager models cap their scores or add sinks, and who asked for flash attention shall keep it.
_TAUGHT = {"sdpa", "flex_attention"}
_FLEX = {"cuda"}  # device types on which FlexAttention runs forward and backward
_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward

ByLayer = Mapping[int, KeyValue]  # keys and values of some tokens, (1, K, tokens, D) each, by the layer's number


class NotShareableError(Exception):
    """The model does something with attention that a trie cannot carry: `ability` turns it into a refusal."""


class Packed:
    """One packed trie on a device, as the attention function needs it; masks are made only if a device needs them.

    `calls` counts the attention calls that used it: a model that never asks cannot be trusted with sharing. before:
    keys and values, by layer, of tokens that stand before all rows. `noted`: set to a dict, it is given each layer's
    keys and values of the pack itself.
    """

    def __init__(self, trie: Trie, device: torch.device, *, before: ByLayer | None = None) -> None:
        self.trie = trie
        self.before = before
        self.noted: dict[int, KeyValue] | None = None
        self.segments = trie.segments()
        self.device = device
        self.calls = 0
        self._dense: Tensor | None = None
        self._blocks: BlockMask | None = None

    def ids(self) -> Tensor:
        return torch.from_numpy(self.trie.ids_L).to(self.device)[None]

    def positions(self, *, header: int = 0) -> Tensor:
        return torch.from_numpy(self.trie.positions_L + header).to(self.device)[None]

    def dense_mask(self, *, header: int = 0) -> Tensor:
        """Bool (1, 1, L, header + L), True where seen; every token sees all of the cached header. Made once."""
        if self._dense is None:
            mask_LL = torch.from_numpy(self.trie.mask_LL()).to(self.device)
            self._dense = torch.cat([mask_LL.new_ones(len(mask_LL), header), mask_LL], dim=1)[None, None]
        return self._dense

    @property
    def kept_tokens(self) -> int:
        """Tokens that stand before all rows with keys and values from an earlier pass."""
        return 0 if self.before is None else next(iter(self.before.values()))[0].shape[2]

    def joined(self, module: torch.nn.Module, key: Tensor, value: Tensor) -> KeyValue:
        """A layer's keys and values behind those that stand before all rows; noted first where that is asked for."""
        if self.noted is None and self.before is None:
            return key, value
        layer = getattr(module, "layer_idx", None)
        # By the layer's own number: layers whose activations are made again ask once more, and in another order.
        if not isinstance(layer, int):
            raise NotShareableError("the model's attention does not say which layer it belongs to")
        if self.noted is not None:
            self.noted[layer] = key, value
        if self.before is None:
            return key, value
        first_key, first_value = self.before[layer]
        return torch.cat([first_key.to(key.dtype), key], dim=2), torch.cat([first_value.to(value.dtype), value], dim=2)

    def block_mask(self) -> BlockMask:
        """FlexAttention's block mask of the same rule; made once."""
        if self._blocks is None:
            self._blocks = flex_attention.block_mask(self.trie.exits_L, self.device, before=self.kept_tokens)
        return self._blocks


_running: ContextVar[Packed | SideBySide | Lanes | None] = ContextVar("assay_packed", default=None)


@contextmanager
def running(packed: Packed | SideBySide | Lanes) -> Iterator[None]:
    """Mark the shared forward pass, so that no L x L mask is made for it."""
    token = _running.set(packed)
    try:
        yield
    finally:
        _running.reset(token)


def teach(name: str | None) -> bool:
    """Let transformers' attention of this name take a trie as well; whether it is one that can. Done at most once.

    Asked before every pass: who registers another function under the name later gets that one taught.
    """
    if name not in _TAUGHT:
        return False
    plain = ALL_ATTENTION_FUNCTIONS[name]
    if not getattr(plain, "takes_tries", False):
        AttentionInterface.register(name, _taught(plain))
    mask = ALL_MASK_ATTENTION_FUNCTIONS[name]
    if not getattr(mask, "takes_tries", False):
        AttentionMaskInterface.register(name, _taught_mask(mask))
    return True


def _taught(plain: Callable[..., object]) -> Callable[..., object]:
    """An attention function of transformers' interface: over the trie given as `trie=`, or over the rows given as
    `side_by_side=`, or of the answers under way given as `lanes=`, else exactly `plain`.
    """

    @functools.wraps(plain)
    def attention_or_plain(*args: Any, **options: Any) -> object:
        if options.get("trie") is not None:
            return attention(*args, **options)
        if options.get("side_by_side") is not None:
            return attention_by_rows(*args, **options)
        if options.get("lanes") is not None:
            return attention_of_lanes(*args, **options)
        if _shared_pass():
            raise NotShareableError("the model does not hand its keyword arguments on to the attention function")
        return plain(*args, **options)

    attention_or_plain.takes_tries = True  # type: ignore[attr-defined]
    return attention_or_plain


def _taught_mask(plain: Callable[..., object]) -> Callable[..., object]:
    """A mask function of transformers' interface: no mask at all inside a shared forward pass, else `plain`'s."""

    @functools.wraps(plain)
    def mask_or_none(*args: object, **options: object) -> object:
        return None if _shared_pass() else plain(*args, **options)

    mask_or_none.takes_tries = True  # type: ignore[attr-defined]
    return mask_or_none


def _shared_pass() -> bool:
    """Whether a shared forward pass is on; torch.compile, which cannot follow the question, is told no."""
    return not torch.compiler.is_compiling() and _running.get() is not None


def attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    trie: Packed,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention over the trie, called as transformers calls attention; attention_mask plays no part.

    query (1, H, L, D), key and value (1, K, L, D) -> (1, L, H, D). More keys than queries: the first ones are a cached
    header, seen by all. A sliding window passed here is no shorter than the longest row: `forward` has checked it.
    """
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise NotShareableError("the model caps its attention scores or adds sinks to them")
    return _over_trie(module, query, key, value, trie, **options), None


def attention_by_rows(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    side_by_side: SideBySide,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of rows that stand side by side, called as transformers calls attention; the mask plays no part."""
    asked = unknown(options)
    if asked is not None or query.shape[1] != key.shape[1]:
        raise NotShareableError(f"the model's attention asks for more ({asked or 'fewer key heads than query heads'})")
    return by_rows(query, key, value, side_by_side, options), None


def attention_of_lanes(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    lanes: Lanes,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of the newest tokens of answers, called as transformers calls attention; the mask plays no part."""
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise NotShareableError("the model caps its attention scores or adds sinks to them")
    return lanes.attention(module, query, key, value, options), None


# Every trie is other calls: there is nothing to compile, and tracing them would never end.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def _over_trie(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, packed: Packed, **options: Any
) -> Tensor:
    packed.calls += 1
    key, value = packed.joined(module, key, value)
    kind = query.device.type
    if torch.is_autocast_enabled(kind):  # as autocast does for SDPA: rotary positions leave queries and keys in float32
        query, key, value = (part.to(torch.get_autocast_dtype(kind)) for part in (query, key, value))
    scaling = options.get("scaling")
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    dropout = float(options.get("dropout") or 0.0)
    header = key.shape[2] - query.shape[2]
    if kind in _FLEX and not dropout and flex_attention.takes(query, key, value, before=packed.kept_tokens):
        return flex_attention.attention(query, key, value, packed.block_mask(), scale)
    if kind != "cpu" or dropout or value.shape[-1] != query.shape[-1]:
        output, _ = sdpa_attention_forward(module, query, key, value, packed.dense_mask(header=header), **options)
        return cast("Tensor", output)
    heads, shared = query.shape[1], key.shape[1]
    query_KGLD = query[0].view(shared, heads // shared, *query.shape[2:])
    output_LKGD: Tensor = _BySegments.apply(query_KGLD, key[0], value[0], packed.segments, scale)  # type: ignore[no-untyped-call]
    return output_LKGD.flatten(1, 2)[None]


class _Kept(Protocol):
    """What the backward pass finds again: autograd's context, with the segments and the scale on it."""

    saved_tensors: tuple[Tensor, ...]
    segments: tuple[Segment, ...]
    scale: float

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _BySegments(torch.autograd.Function):
    """Tree attention by CPU flash attention calls; gradients exact, memory linear in L."""

    @staticmethod
    def forward(  # noqa: PLR0917 (autograd's calling convention)
        ctx: _Kept, query_KGLD: Tensor, key_KLD: Tensor, value_KLD: Tensor, segments: tuple[Segment, ...], scale: float
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
            else:  # o = o_A + w (o_B - o_A), w = sigmoid(t_B - t_A); then t
                here.lerp_(part.float(), torch.sigmoid(part_total - here_total).unsqueeze(-1))
                torch.logaddexp(here_total, part_total, out=here_total)
        output_LKGD = output_LKGD.to(query_KGLD.dtype)
        ctx.save_for_backward(query_KGLD, key_KLD, value_KLD, output_LKGD, total)
        ctx.segments, ctx.scale = segments, scale
        return output_LKGD

    @staticmethod
    def backward(ctx: _Kept, gradient_LKGD: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query_KGLD, key_KLD, value_KLD, output_LKGD, total = ctx.saved_tensors
        group = query_KGLD.shape[1]
        key, value = _spread(key_KLD, group), _spread(value_KLD, group)
        output, gradient = output_LKGD.permute(1, 2, 0, 3), gradient_LKGD.permute(1, 2, 0, 3)
        # Added up over calls: a query meets its ancestors in several calls, and a key is met by all below it.
        to_query = _zeros_as_heads(query_KGLD)
        to_key, to_value = _zeros_as_heads(key_KLD), _zeros_as_heads(value_KLD)
        # `output` and `total` are the merged ones: with them each call's backward is its share of the whole gradient.
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
