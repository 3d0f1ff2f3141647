"""Can this model share prefixes, and if not, why, in one plain sentence?

First the model's own declarations are read (an encoder, a state-space model, prompt tuning cannot); what they leave
open a probe decides: two short rows that share a prefix, run plainly and packed, must give the same hidden states.
Knows model structure; knows nothing of the rows that are to be run (`pass_rules.py` does).
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from assay.engine import segment_attention
from assay.engine.trie import pack
from assay.engine.trunk_calls import Kernel, run_packed, run_row
from assay.models.self_probe import agrees, largest, probe_rows
from assay.models.transformers_types import config_of
from assay.models.wrappers import adapters_of, is_sharded, trunk_of

# Class names as written: in any case, "ssm" is also in GptOssMLP.
_RECURRENT = re.compile(
    r"Mamba|R[Ww][Kk][Vv]|Recurrent|S[Ss][Mm]|H1Mixer|DeltaNet|LinearAttention|ShortConv|R[Gg][Ll][Rr][Uu]|LightningAttention"
)
_TOLERANCE = 1e-4, 5e-2  # of the largest hidden state: in float32, and in 16 bit


@dataclass(frozen=True, slots=True)
class Ability:
    """How a trunk can share: by which kernel, or the reason why it cannot (then kernel is None)."""

    kernel: Kernel | None
    refusal: str | None


_known: WeakKeyDictionary[nn.Module, tuple[str | None, Ability]] = WeakKeyDictionary()  # by its attention's name


def ability(model: nn.Module) -> Ability:
    """Whether and how this model shares prefixes; found out once per model and attention, and remembered."""
    trunk = trunk_of(model)
    if any(getattr(adapter, "is_prompt_learning", False) for adapter in adapters_of(model)):
        # Said by the wrapper, which may have been put on after the trunk was probed.
        return Ability(
            None, "prefix and prompt tuning put learnt tokens before every row, which a packed trie has no place for"
        )
    name = getattr(config_of(trunk), "_attn_implementation", None)
    known = _known.get(trunk)
    if known is None or known[0] != name:
        refusal = _by_declaration(trunk)
        known = name, Ability(None, refusal) if refusal else _by_probe(trunk, by_segments=segment_attention.teach(name))
        _known[trunk] = known
    return known[1]


def _by_declaration(trunk: nn.Module) -> str | None:
    config = config_of(trunk)
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


def _by_probe(trunk: nn.Module, *, by_segments: bool) -> Ability:
    if is_sharded(trunk):
        return Ability("segments" if by_segments else "dense", None)
    kernels: tuple[Kernel, ...] = ("segments", "dense") if by_segments else ("dense",)
    # The faster one first: segments where the model's attention can be taught, else a mask of L x L.
    for kernel in kernels:
        if kernel == "dense" and _has_place_table(trunk):
            return Ability(None, "the model looks up its mask by a token's place in the pass, which packing changes")
        if _shares_exactly(trunk, kernel):
            return Ability(kernel, None)
    return Ability(None, "a probe of two short rows gave other hidden states packed than plain")


def _has_place_table(trunk: nn.Module) -> bool:
    """Whether attention holds a causal table (1, 1, M, M), as GPT-Neo does: no pack could be longer than M."""
    return any(b.ndim == 4 and b.shape[-1] == b.shape[-2] > 1 for b in trunk.buffers())


def _shares_exactly(trunk: nn.Module, kernel: Kernel) -> bool:
    rows = probe_rows(trunk)
    trie = pack(rows)

    def plainly() -> Tensor:
        return torch.cat([run_row(trunk, row) for row in rows])

    def packed() -> Tensor | None:
        try:
            hidden_LH = run_packed(trunk, trie, kernel)
        except (segment_attention.NotShareableError, TypeError, RuntimeError, ValueError):
            return None  # whatever a model does not take a pack for, it cannot share
        return hidden_LH[torch.from_numpy(trie.path_R).to(hidden_LH.device)]

    return agrees(trunk, plainly, packed, scale=largest, tolerance=_TOLERANCE)
