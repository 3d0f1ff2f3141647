"""Which rows may stand in one pass on a model: its attention window, and rotary positions that the longest row decides.

Knows a model's configuration and the lengths of rows; runs nothing. What a model has positions for at all is not asked
here (`models/limits.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from assay.engine.trie import Ints
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of


def window_refusal(model: nn.Module, longest: int) -> str | None:
    """Why rows of this length cannot share on this model because of its attention window, or None."""
    config = config_of(trunk_of(model))
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
    config = config_of(trunk_of(model))
    ropes = getattr(config, "rope_parameters", None) or {}
    kinds = [ropes] if "rope_type" in ropes else [rope for rope in ropes.values() if isinstance(rope, dict)]
    for rope in kinds:
        if rope.get("rope_type") in {"longrope", "dynamic"}:
            before: int = rope.get("original_max_position_embeddings") or config.max_position_embeddings
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
