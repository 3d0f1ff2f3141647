"""Which models can share prefixes, and in one plain sentence why not. Knows model structure; runs one short probe.

The sentence is decided from the model's own declarations where they exist, and in the end by a probe: two short rows
that share a prefix, run plainly and packed, must give the same hidden states.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from assay.engine import segment_attention
from assay.engine.run import Kernel, run_packed
from assay.engine.trie import Ints, pack
from assay.errors import InputError
from assay.models.wrappers import _unwrap_once, trunk_of

# Class names as written: in any case, "ssm" is also in GptOssMLP.
_RECURRENT = re.compile(
    r"Mamba|R[Ww][Kk][Vv]|Recurrent|S[Ss][Mm]|H1Mixer|DeltaNet|LinearAttention|ShortConv|R[Gg][Ll][Rr][Uu]|LightningAttention"
)
_PROBE_ROWS = ((3, 1, 4, 1, 5, 2), (3, 1, 4, 2, 2, 6, 5))


@dataclass(frozen=True, slots=True)
class Ability:
    """How a trunk can share: by which kernel, or the reason why it cannot (then kernel is None)."""

    kernel: Kernel | None
    refusal: str | None


_known: WeakKeyDictionary[nn.Module, tuple[str | None, Ability]] = WeakKeyDictionary()  # by its attention's name


def ability(model: nn.Module) -> Ability:
    """Whether and how this model shares prefixes; found out once per model and attention, and remembered."""
    trunk = trunk_of(model)
    tuned = _prompt_tuning(model)  # said by the wrapper, which may have been put on after the trunk was probed
    if tuned is not None:
        return Ability(None, tuned)
    config: Any = trunk.config
    name = getattr(config, "_attn_implementation", None)
    known = _known.get(trunk)
    if known is None or known[0] != name:
        refusal = _by_declaration(trunk)
        known = name, Ability(None, refusal) if refusal else _by_probe(trunk, cascaded=segment_attention.teach(name))
        _known[trunk] = known
    return known[1]


def check_length(model: nn.Module, longest: int) -> None:
    """Raises InputError if a row is longer than the model has positions for."""
    config: Any = trunk_of(model).config
    limit = getattr(config, "max_position_embeddings", None)
    if isinstance(limit, int) and longest > limit > 0:
        raise InputError(
            f"A row has {longest} tokens; the model has positions for {limit}. Lower --max-tokens so that the "
            "length gate drops such rows, or take a model with a longer context."
        )


def window_refusal(model: nn.Module, longest: int) -> str | None:
    """Why rows of this length cannot share on this model because of its attention window, or None."""
    config: Any = trunk_of(model).config
    window = getattr(config, "sliding_window", None) or getattr(config, "attention_chunk_size", None)
    if not isinstance(window, int) or longest <= window or getattr(config, "use_sliding_window", None) is False:
        return None
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and not any(kind in {"sliding_attention", "chunked_attention"} for kind in kinds):
        return None
    return (
        f"the longest row has {longest} tokens and the model's attention window is {window}: packed rows have no window"
    )


def rope_switch(model: nn.Module) -> int | None:
    """The length past which a pass turns its rotary positions otherwise, for all rows in it; None for most models.

    So it is with longrope (Phi-3 128k): one long row in a batch changes what the short ones beside it get.
    """
    config: Any = trunk_of(model).config
    ropes = getattr(config, "rope_parameters", None) or {}
    kinds = [ropes] if "rope_type" in ropes else [rope for rope in ropes.values() if isinstance(rope, dict)]
    for rope in kinds:
        if rope.get("rope_type") in {"longrope", "dynamic"}:
            before = rope.get("original_max_position_embeddings") or config.max_position_embeddings
            return int(before)
    return None


def rope_sides(model: nn.Module, lengths: Sequence[int]) -> tuple[Ints, Ints] | None:
    """Rows that must run in passes of their own, short and long ones, by their places; None where one pass will do."""
    switch = rope_switch(model)
    if switch is None or not min(lengths, default=0) <= switch < max(lengths, default=0):
        return None
    short_N = np.asarray(lengths) <= switch
    return np.flatnonzero(short_N), np.flatnonzero(~short_N)


def rope_refusal(model: nn.Module, lengths: Sequence[int]) -> str | None:
    """Why rows of these lengths cannot share because the longest of a pass decides its rotary positions, or None."""
    if rope_sides(model, lengths) is None:
        return None
    return (
        f"rows of up to {rope_switch(model)} tokens and longer ones have other rotary positions on this model, and "
        "cannot stand in one pass"
    )


def _prompt_tuning(model: nn.Module) -> str | None:
    configs = getattr(_unwrap_once(_unwrap_once(model)), "peft_config", None)
    if isinstance(configs, dict) and any(getattr(config, "is_prompt_learning", False) for config in configs.values()):
        return "prefix and prompt tuning put learnt tokens before every row, which a packed trie has no place for"
    return None


def _by_declaration(trunk: nn.Module) -> str | None:
    config: Any = trunk.config
    if getattr(config, "is_encoder_decoder", False):
        return "an encoder-decoder reads the prompt in a separate pass, in both directions"
    if any(getattr(module, "is_causal", None) is False for module in trunk.modules()):
        return "an encoder reads the prompt in both directions, so its hidden states depend on the answer"
    if getattr(config, "is_causal", None) is False:
        return "the model attends in both directions, so the prompt's hidden states depend on the answer"
    if any(_RECURRENT.search(type(module).__name__) for module in trunk.modules()):
        return "a state-space or hybrid model carries its state from token to token, which cannot branch inside one row"
    if "position_ids" not in inspect.signature(trunk.forward).parameters:
        return "the model takes no position numbers, so branches cannot be placed after their prompt"
    return None


def _by_probe(trunk: nn.Module, *, cascaded: bool) -> Ability:
    if any("FSDP" in base.__name__ for base in type(trunk).__mro__):
        return Ability("cascade" if cascaded else "dense", None)  # a sharded trunk cannot run a probe by itself
    kernels: tuple[Kernel, ...] = ("cascade", "dense") if cascaded else ("dense",)
    training = trunk.training
    trunk.eval()  # without dropout both runs are deterministic
    try:
        # Under autocast both runs would have bf16's noise, and exactness could not be told.
        with torch.no_grad(), torch.autocast(next(trunk.parameters()).device.type, enabled=False):
            plain_RH = _plain_probe(trunk)
            for kernel in kernels:
                if kernel == "dense" and _has_place_table(trunk):
                    return Ability(
                        None, "the model looks up its mask by a token's place in the pass, which packing changes"
                    )
                if _agrees(_packed_probe(trunk, kernel), plain_RH):
                    return Ability(kernel, None)
    finally:
        trunk.train(training)
    return Ability(None, "a probe of two short rows gave other hidden states packed than plain")


def _has_place_table(trunk: nn.Module) -> bool:
    """Whether attention holds a causal table (1, 1, M, M), as GPT-Neo does: no pack could be longer than M."""
    return any(b.ndim == 4 and b.shape[-1] == b.shape[-2] > 1 for b in trunk.buffers())


def _plain_probe(trunk: nn.Module) -> Tensor:
    device = next(trunk.parameters()).device
    rows = [torch.tensor([row], device=device) for row in _probe_rows(trunk)]
    return torch.cat([trunk(input_ids=row, use_cache=False).last_hidden_state[0] for row in rows])


def _probe_rows(trunk: nn.Module) -> list[list[int]]:
    vocabulary = trunk.get_input_embeddings().num_embeddings  # type: ignore[operator]
    return [[token % vocabulary for token in row] for row in _PROBE_ROWS]


def _packed_probe(trunk: nn.Module, kernel: Kernel) -> Tensor | None:
    trie = pack(_probe_rows(trunk))
    try:
        hidden_LH = run_packed(trunk, trie, kernel)
    except (segment_attention.NotShareableError, TypeError, RuntimeError, ValueError):
        return None
    return hidden_LH[torch.from_numpy(trie.path_R).to(hidden_LH.device)]


def _agrees(packed_RH: Tensor | None, plain_RH: Tensor) -> bool:
    if packed_RH is None or packed_RH.shape != plain_RH.shape:
        return False
    tolerance = 1e-4 if plain_RH.dtype == torch.float32 else 5e-2
    difference = (packed_RH - plain_RH).abs().max()
    return bool(difference <= tolerance * plain_RH.abs().max().clamp(min=1e-6))
