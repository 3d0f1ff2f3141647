"""How long a row a model has positions for: the one rule, by which every row is refused that is longer.

Knows a model's configuration and the lengths of rows; knows no row.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from assay.errors import InputError
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of, unwrap


def most_tokens(model: nn.Module) -> int | None:
    """The longest row the model has positions for, or None if it states no limit. Raises ModelError as `trunk_of`."""
    trunk = trunk_of(model)
    limit = getattr(config_of(unwrap(model)).get_text_config(), "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    padding = numbered_past(trunk)
    return limit if padding is None else limit - padding - 1  # of RoBERTa's 514 rows in the table 512 are for tokens


def numbered_past(trunk: nn.Module) -> int | None:
    """The padding index after which RoBERTa and its kin number positions; None where the first position is 0."""
    table = getattr(getattr(trunk, "embeddings", None), "position_embeddings", None)
    padding: int | None = getattr(table, "padding_idx", None)
    return padding


def vocabulary(model: nn.Module) -> int:
    """How many tokens the model's table has; ids are below it."""
    return int(unwrap(model).get_input_embeddings().num_embeddings)  # type: ignore[operator]


def check_positions(model: nn.Module, lengths: Sequence[int]) -> None:
    """Raises InputError if a row of these lengths is longer than the model has positions for."""
    limit, longest = most_tokens(model), max(lengths, default=0)
    if limit is not None and longest > limit:
        raise InputError(
            f"A row has {longest} tokens; the model has positions for {limit}. Leave such rows out beforehand, as a "
            "run's length gate does (model.max_tokens), or take a model with a longer context."
        )
