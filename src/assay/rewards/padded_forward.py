"""Run a reward model as everyone runs it: one padded batch, transformers' own pooling. The reference for other paths.

Nothing of the engine's packing is used here, so that what is compared with it is compared with plain transformers.
Knows a sequence-classification model and rendered rows; knows no loss. Letters: N rows, T tokens of the longest row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.engine.pass_rules import rope_sides
from assay.errors import EmptyBatchError, InputError
from assay.models.device_and_mode import device_of
from assay.models.head import by_output, float32_head
from assay.models.limits import check_positions, most_tokens
from assay.models.transformers_types import Output, config_of
from assay.models.wrappers import unwrap
from assay.render.encoder import Encoded


def rewards_padded(model: nn.Module, rows: Sequence[Encoded], *, side: Literal["right", "left"] = "right") -> Tensor:
    """Rewards of rendered rows, float32, shape (N,), differentiable, in the order given; one padded forward pass.

    Of a model with a head an objective, shape (N, K).

    The head runs in float32 also under autocast. side: where the padding stands; left gives position numbers along.
    Raises EmptyBatchError without rows, InputError for a row longer than the model has positions for.
    """
    if not rows:
        raise EmptyBatchError("There are no rows to score. Give at least one rendered row.")
    check_rows(model, rows)
    sides = rope_sides(model, [len(row.ids) for row in rows])
    if sides is not None:  # a long row would change the short ones' rewards
        parts = [rewards_padded(model, [rows[n] for n in places], side=side) for places in sides]
        return torch.cat(parts)[torch.from_numpy(np.argsort(np.concatenate(sides))).to(parts[0].device)]
    batch = {name: torch.from_numpy(array).to(device_of(model)) for name, array in padded(model, rows, side).items()}
    with float32_head(model):
        output: Output = model(**batch)
    return by_output(output.logits).float()


def padded(model: nn.Module, rows: Sequence[Encoded], side: Literal["right", "left"]) -> dict[str, NDArray[np.int64]]:
    """The model's inputs for `rows` as int64 arrays of shape (N, T)."""
    lengths_N = np.array([len(row.ids) for row in rows])
    width = width_of(model, int(lengths_N.max()))
    place_NT = np.arange(width)
    mask_NT = place_NT < lengths_N[:, None] if side == "right" else place_NT >= width - lengths_N[:, None]
    pad = pad_id(model)
    ids_NT = np.full(mask_NT.shape, 0 if pad is None else pad, dtype=np.int64)
    ids_NT[mask_NT] = np.concatenate([np.asarray(row.ids, dtype=np.int64) for row in rows])
    batch = {"input_ids": ids_NT, "attention_mask": mask_NT.astype(np.int64)}
    if rows[0].type_ids is not None:
        types_NT = np.zeros(mask_NT.shape, dtype=np.int64)
        types_NT[mask_NT] = np.concatenate([np.asarray(row.type_ids, dtype=np.int64) for row in rows])
        batch["token_type_ids"] = types_NT
    if side == "left":
        # Left padding moves tokens to the right: without these, many models would count positions from the padding on.
        batch["position_ids"] = np.maximum(mask_NT.cumsum(axis=1) - 1, 0)
    return batch


def width_of(model: nn.Module, longest: int) -> int:
    """How wide a padded batch is: its longest row, or under bf16 on a CPU the next multiple of 16.

    There torch's attention keeps compiled kernels for every width it has met, for ever: measured 5 MB per width and
    thread, which in a training run with a few hundred widths is gigabytes.
    """
    if device_of(model).type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return longest
    return max(longest, min(-(-longest // 16) * 16, most_tokens(model) or longest))


def pad_id(model: nn.Module) -> int | None:
    """The padding token by which the model's own pooling finds the end of a row."""
    found = config_of(unwrap(model)).get_text_config().pad_token_id
    return None if found is None else int(found)


def check_rows(model: nn.Module, rows: Sequence[Encoded]) -> None:
    """Raises InputError if a row is empty, or longer than the model has positions for."""
    lengths = [len(row.ids) for row in rows]
    if min(lengths) == 0:
        raise InputError("A row has no tokens: there is nothing to read a reward from. Remove empty answers.")
    check_positions(model, lengths)
