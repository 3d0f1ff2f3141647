"""Call the trunk: packed, side by side, padded, one row by itself, a header; or the whole model. All calls are here.

Rows of ids in, hidden states out. No other module of assay calls a trunk or a model of transformers, which a test reads
in the sources; two are apart on purpose: `rewards/padded_forward.py`, the reference everything is held against, and
the trainer, which calls the module it was given. Knows how a pass is made; knows not which rows may stand in it.

Letters: N rows, T tokens of the longest row, L packed tokens, H hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessor, StoppingCriteria
from transformers.modeling_outputs import BaseModelOutputWithPooling

from assay.engine import segment_attention
from assay.engine.lane_attention import KeyValue, Lanes
from assay.engine.replaced_forward import replaced
from assay.engine.side_by_side import SideBySide
from assay.engine.trie import Ints, Row, Trie, pack
from assay.models.device_and_mode import device_of, dtype_of
from assay.models.transformers_types import Cache, Output, config_of
from assay.models.wrappers import trunk_of

Kernel = Literal["segments", "dense"]


def run_packed(
    trunk: nn.Module,
    trie: Trie,
    kernel: Kernel,
    *,
    call: Callable[..., object] | None = None,
    header: Cache | None = None,
    before: segment_attention.ByLayer | None = None,
) -> Tensor:
    """Hidden states of all packed tokens, shape (L, H).

    kernel: attention by segments of the trie (transformers' own attention functions, taught to take it), or with a
    dense mask. call: what to call in place of the trunk itself, from inside a forward that replaces it. header: a cache
    with the keys and values of tokens that stand before all rows; it is written to, so give a copy. before: the same
    from `run_beginning`, with gradients to them, for attention by segments only.
    """
    call = call or trunk
    first = 0 if header is None else header.get_seq_length()
    if before is not None:
        assert header is None
        assert kernel == "segments"
    packed = segment_attention.Packed(trie, device_of(trunk), before=before)
    # Positions are told: in a pack a token's place is not its depth.
    inputs: dict[str, object] = {
        "input_ids": packed.ids(),
        "position_ids": packed.positions(header=first + packed.kept_tokens),
    }
    if header is not None:
        inputs["past_key_values"] = header
    if kernel == "dense":
        dtype = dtype_of(trunk)
        seen = packed.dense_mask(header=first)
        # transformers adds a mask of four dimensions as it stands and makes none of its own; the least finite number
        # is what its own masks hold.
        mask = torch.zeros((), dtype=dtype, device=seen.device).where(seen, torch.finfo(dtype).min)
        output = call(**inputs, attention_mask=mask, use_cache=False)
    else:
        segment_attention.teach(config_of(trunk)._attn_implementation)
        with segment_attention.running(packed):
            output = call(**inputs, use_cache=False, trie=packed)
        if not packed.calls:
            raise segment_attention.NotShareableError(
                "the model's attention does not go through transformers' attention interface"
            )
    return cast("Output", output).last_hidden_state[0]


def run_beginning(trunk: nn.Module, ids: Ints) -> dict[int, KeyValue]:
    """Keys and values of each layer that a beginning of rows leaves, by the layer's number; differentiable.

    They are taken where attention is given them: a cache is let go of by layers that make their activations again.
    """
    packed = segment_attention.Packed(pack([ids]), device_of(trunk))
    noted: dict[int, KeyValue] = {}
    packed.noted = noted
    segment_attention.teach(config_of(trunk)._attn_implementation)
    with segment_attention.running(packed):
        trunk(input_ids=packed.ids(), position_ids=packed.positions(), use_cache=False, trie=packed)
    packed.noted = None  # layers that run again in the backward pass have nothing more to note
    return noted


def run_side_by_side(trunk: nn.Module, rows: SideBySide) -> Tensor:
    """Hidden states of all tokens of rows that stand side by side, shape (L, H); nothing shared and no padding.

    Raises NotShareableError if the model's attention does not take such rows.
    """
    segment_attention.teach(config_of(trunk)._attn_implementation)
    with segment_attention.running(rows):
        output = cast("Output", trunk(**rows.inputs(), side_by_side=rows))
    if not rows.calls:
        raise segment_attention.NotShareableError(
            "the model's attention does not go through transformers' attention interface"
        )
    return output.last_hidden_state[0]


def run_head(model: nn.Module, first_NH: Tensor) -> Tensor:
    """What a classifier's own head makes of the hidden states of each row's first token, shape (N, labels).

    The trunk's pooler, where it has one, is run on them too. For heads that read no other token.
    """
    trunk, first_N1H = trunk_of(model), first_NH[:, None]

    def trunk_has_run(*_: object, **__: object) -> BaseModelOutputWithPooling:
        pooler = getattr(trunk, "pooler", None)
        pooled_NH = None if pooler is None else pooler(first_N1H)
        return BaseModelOutputWithPooling(last_hidden_state=first_N1H, pooler_output=pooled_NH)

    with replaced(trunk, trunk_has_run):
        output: Output = model(input_ids=torch.zeros(first_N1H.shape[:2], dtype=torch.long, device=first_NH.device))
    return output.logits


def run_padded(trunk: nn.Module, rows: Sequence[Row]) -> Tensor:
    """Hidden states of one right-padded batch, nothing shared, shape (N, T, H); those at padding say nothing."""
    lengths_N = np.array([len(row) for row in rows])
    mask_NT = np.arange(lengths_N.max()) < lengths_N[:, None]
    ids_NT = np.zeros(mask_NT.shape, dtype=np.int64)
    ids_NT[mask_NT] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    device = device_of(trunk)
    output: Output = trunk(
        input_ids=torch.from_numpy(ids_NT).to(device),
        attention_mask=torch.from_numpy(mask_NT.astype(np.int64)).to(device),
        use_cache=False,
    )
    return output.last_hidden_state


def run_row(trunk: nn.Module, row: Row) -> Tensor:
    """Hidden states of one row as the model runs it when nobody helps, without mask or positions; shape (T, H)."""
    output: Output = trunk(input_ids=_batch_of(row, trunk), use_cache=False)
    return output.last_hidden_state[0]


def run_header(trunk: nn.Module, ids: Ints, cache: Cache) -> None:
    """Run a beginning of rows by itself, for the keys and values that it leaves in `cache`."""
    trunk(input_ids=_batch_of(ids, trunk), past_key_values=cache, use_cache=True)


def run_chunk(trunk: nn.Module, ids: Ints, cache: Cache) -> Tensor:
    """Hidden states of tokens that go on where `cache` ends, which then holds them too, shape (T, H)."""
    output: Output = trunk(input_ids=_batch_of(ids, trunk), past_key_values=cache, use_cache=True)
    return output.last_hidden_state[0]


def run_lanes(trunk: nn.Module, token_R: Tensor, position_R: Tensor, lanes: Lanes) -> Tensor:
    """Hidden states of the newest token of every lane, shape (R, H); R: lanes, and rows that fill up the pass.

    Raises NotShareableError if the model's attention does not take lanes.
    """
    segment_attention.teach(config_of(trunk)._attn_implementation)
    before = lanes.calls
    with segment_attention.running(lanes):
        output = cast(
            "Output", trunk(input_ids=token_R[None], position_ids=position_R[None], use_cache=False, lanes=lanes)
        )
    if lanes.calls == before:
        raise segment_attention.NotShareableError(
            "the model's attention does not go through transformers' attention interface"
        )
    return output.last_hidden_state[0]


def run_logits(model: nn.Module, row: Row | Tensor) -> Tensor:
    """Logits of one row by a whole language model, in float32, shape (T, V)."""
    output: Output = model(input_ids=_batch_of(row, model), use_cache=False)
    return output.logits[0].float()


def run_drawn(
    model: nn.Module, ids_NT: Tensor, *, most: int, ends: Sequence[int], draw: LogitsProcessor, stop: StoppingCriteria
) -> Tensor:
    """Rows of one length with up to `most` further tokens, each as `draw` leaves it alone possible, (N, T + most)."""
    found: Tensor = model.generate(  # type: ignore[operator]
        ids_NT,
        attention_mask=torch.ones_like(ids_NT),
        generation_config=GenerationConfig(
            max_new_tokens=most, do_sample=False, eos_token_id=list(ends) or None, pad_token_id=ends[0] if ends else 0
        ),
        logits_processor=[draw],
        stopping_criteria=[stop],
    )
    return found


def _batch_of(row: Row | Tensor, model: nn.Module) -> Tensor:
    """One row as a batch of one, on the model's device."""
    return torch.as_tensor(row, dtype=torch.long, device=device_of(model))[None]
