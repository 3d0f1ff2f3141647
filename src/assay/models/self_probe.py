"""Does a model agree with itself? Short rows run in two ways, which must give the same up to rounding.

A shortcut may be taken only where it gives what the long way gives, and what a model declares about itself is not
proof. So each shortcut (prefixes shared, the output layer run by itself, the reward read from one token) is tried on
these rows before it is trusted. Knows models and tensors; knows no shortcut.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from assay.models.device_and_mode import device_of, dtype_of, evaluating
from assay.models.wrappers import unwrap

# Two rows that share a beginning, branch, and are not equally long, in tenths of the vocabulary. The first few ids that
# every vocabulary has are markers of turns in many. A model was never shown such a row, and what bf16 rounds away grows
# there to 9% of the largest hidden state (SmolLM2), against 1% on ordinary tokens.
ROWS = ((3, 1, 4, 1, 5, 2), (3, 1, 4, 2, 2, 6, 5))
_PARTS = 10


def probe_rows(model: nn.Module, *, without: int | None = None) -> list[list[int]]:
    """The rows to probe `model` with, each id in its vocabulary; `without`: an id that may not occur (padding)."""
    vocabulary: int = unwrap(model).get_input_embeddings().num_embeddings  # type: ignore[operator]
    spread = [[part * vocabulary // _PARTS for part in row] for row in ROWS]
    return [[(token + (token == without)) % vocabulary for token in row] for row in spread]


def agrees(
    model: nn.Module,
    long_way: Callable[[], Tensor],
    short_way: Callable[[], Tensor | None],
    *,
    scale: Callable[[Tensor], Tensor],
    tolerance: tuple[float, float],
) -> bool:
    """Whether both ways give the same: nowhere further apart than tolerance * scale(what the long way gave).

    short_way: None if the model cannot go it. tolerance: for models whose weights are float32, and for those with
    less. Both run in evaluation mode, since dropout would make them differ, and without autocast, under which both
    would have bf16's noise and exactness could not be told. Not-a-number anywhere is a disagreement.
    """
    with evaluating(model), torch.autocast(device_of(model).type, enabled=False):
        theirs, ours = long_way(), short_way()
    if ours is None or ours.shape != theirs.shape:
        return False
    allowed = tolerance[0] if dtype_of(model) == torch.float32 else tolerance[1]
    return bool(((ours - theirs).abs() <= allowed * scale(theirs)).all())


def largest(figures: Tensor) -> Tensor:
    """The scale of most quantities: the largest magnitude, shape (); never 0."""
    return figures.abs().max().clamp(min=1e-6)
