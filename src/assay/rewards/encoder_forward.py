"""Rewards of an encoder's rows without padding: rows side by side through the trunk, the model's own head behind it.

Taken only where a probe of short rows has shown that this model gives what it gives for a padded batch: a head that
reads more than a row's first token, attention by windows or by relative places, positions numbered in a way not known
here, all differ there. Knows a sequence-classification model and rendered rows; knows no loss. Letters: N rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from assay.engine.segment_attention import NotShareableError
from assay.engine.side_by_side import SideBySide
from assay.engine.trunk_calls import run_head, run_side_by_side
from assay.models.device_and_mode import device_of
from assay.models.head import by_output, float32_head
from assay.models.limits import numbered_past
from assay.models.self_probe import agrees, probe_rows
from assay.models.wrappers import is_sharded, trunk_of
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import check_rows, pad_id, rewards_padded

_TOLERANCE = 1e-3, 1e-3  # of the reward, and of 0.1 where it is smaller: a new head's rewards are close to 0


def rewards_side_by_side(model: nn.Module, rows: Sequence[Encoded]) -> Tensor:
    """What `rewards_padded` gives, up to rounding, float32, shape (N,), differentiable; no padding is computed."""
    check_rows(model, rows)
    trunk = trunk_of(model)
    types = [row.type_ids for row in rows if row.type_ids is not None]
    packed = SideBySide(
        [row.ids for row in rows],
        device_of(model),
        type_ids=types or None,
        numbered_past=numbered_past(trunk),
    )
    hidden_LH = run_side_by_side(trunk, packed)
    with float32_head(model):
        return by_output(run_head(model, hidden_LH.index_select(0, packed.first_tokens()))).float()


def stands_side_by_side(model: nn.Module) -> bool:
    """Whether this model gives for rows side by side what it gives for a padded batch, by a probe of short rows."""
    if is_sharded(trunk_of(model)):
        return False
    short, long = probe_rows(model, without=pad_id(model))
    rows = [Encoded(ids=tuple(ids), prompt_tokens=1) for ids in (long, short, long[::-1], short[::-1])]

    def side_by_side() -> Tensor | None:
        try:
            return rewards_side_by_side(model, rows)
        except (NotShareableError, TypeError, RuntimeError, ValueError, AttributeError, IndexError):
            return None  # whatever a model does not take such rows for, it runs padded

    return agrees(
        model,
        lambda: rewards_padded(model, rows),
        side_by_side,
        scale=lambda reward_N: reward_N.abs() + 0.1,
        tolerance=_TOLERANCE,
    )


def may_stand_side_by_side(model: nn.Module) -> bool:
    """Whether rows are to stand side by side here and now: on a CPU in float32.

    Under bf16 torch's attention keeps compiled kernels for every length it has met (`padded_forward.width_of`), and a
    GPU would wait for many small attention calls.
    """
    return device_of(model).type == "cpu" and not torch.is_autocast_enabled("cpu")
