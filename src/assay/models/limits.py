"""How long a row a model has positions for."""

from __future__ import annotations

from typing import Any

from torch import nn

from assay.models.wrappers import trunk_of, unwrap


def most_tokens(model: nn.Module) -> int | None:
    """The longest row the model has positions for, or None if it states no limit."""
    config: Any = unwrap(model).config
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    embeddings = getattr(trunk_of(model), "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    if getattr(table, "padding_idx", None) is not None:  # RoBERTa counts positions from after the padding index
        return limit - int(config.pad_token_id) - 1
    return limit
