"""May this model's answers be written in lanes, and if not, why, in one plain sentence?

What `can_share` says is asked first; then two short rows that share a prompt are run in lanes and plainly, and must
give the same hidden states. Knows models; knows no answer.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from assay.engine.can_share import ability
from assay.engine.lane_attention import Lanes, filling
from assay.engine.output_layer import reads_plainly
from assay.engine.pass_rules import rope_switch
from assay.engine.prefill import Prefills
from assay.engine.segment_attention import NotShareableError
from assay.engine.trie import common_prefix
from assay.engine.trunk_calls import run_lanes, run_row
from assay.models.self_probe import agrees, largest, probe_rows
from assay.models.transformers_types import config_of
from assay.models.wrappers import is_sharded, trunk_of

_known: WeakKeyDictionary[nn.Module, str | None] = WeakKeyDictionary()
_TOLERANCE = 1e-4, 5e-2  # of the largest hidden state: in float32, and in 16 bit


def refusal(model: nn.Module, longest: int) -> str | None:
    """Why rows of this length cannot be written in lanes on this model, or None if they can; probed once a model."""
    if is_sharded(model):
        return "the model's weights are held in parts by several processes"
    trunk = trunk_of(model)
    chunk = getattr(config_of(trunk), "attention_chunk_size", None)
    if isinstance(chunk, int) and longest > chunk:
        return f"the longest row has {longest} tokens and the model attends in chunks of {chunk}"
    if rope_switch(model) is not None:
        return "the length of a pass decides the model's rotary positions"
    if trunk not in _known:
        _known[trunk] = _found_out(model, trunk)
    return _known[trunk]


def _found_out(model: nn.Module, trunk: nn.Module) -> str | None:
    sharing = ability(model)
    if sharing.refusal is not None:
        return sharing.refusal
    if not reads_plainly(model):
        return "the model's output layer is more than its weights, scale and cap"
    if not agrees(model, lambda: _plainly(trunk), lambda: _in_lanes(model, trunk), scale=largest, tolerance=_TOLERANCE):
        return "a probe of two short rows gave other hidden states written in lanes than run plainly"
    return None


def _rows(trunk: nn.Module) -> tuple[list[list[int]], int]:
    rows = probe_rows(trunk)
    return rows, common_prefix(*(np.array(row) for row in rows))


def _plainly(trunk: nn.Module) -> Tensor:
    rows, common = _rows(trunk)
    steps = min(map(len, rows)) - common
    hidden = [run_row(trunk, row)[common : common + steps] for row in rows]
    return torch.stack(hidden, dim=1).flatten(0, 1)


def _in_lanes(model: nn.Module, trunk: nn.Module) -> Tensor | None:
    """Hidden states of what follows the shared prompt, a token of each row at a time."""
    rows, common = _rows(trunk)
    try:
        prompt = Prefills(model).run(np.array(rows[0][:common], dtype=np.int64))
        lanes = Lanes(prompt.last_H.device)
        slot = lanes.open_slot(prompt.layers)
        for _ in rows:
            lanes.open_lane(slot)
        found = []
        for step in range(common, min(map(len, rows))):
            lanes.begin()
            token_R, position_R = (
                pad(torch.tensor(numbers, device=lanes.device), (0, filling(len(rows))))
                for numbers in ([row[step] for row in rows], lanes.positions())
            )
            found.append(run_lanes(trunk, token_R, position_R, lanes)[: len(rows)])
            lanes.end()
    except (NotShareableError, AttributeError, TypeError, RuntimeError, ValueError, IndexError):
        return None  # whatever a model does not take lanes for, it is run plainly
    return torch.cat(found)
