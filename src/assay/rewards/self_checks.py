"""Check on real rows what must hold of a reward model: reloaded, batched, padded and swapped it gives the same rewards.

Rewards are computed in float32 here. Differences are told in reward, relative to the largest reward if that is over 1.
Knows models; trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from assay.errors import EmptyBatchError
from assay.models.device_and_mode import evaluating
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import rewards_padded
from assay.rewards.reward_model import RewardModel
from assay.rewards.saved_model import open_model

RELOAD = 1e-5
ORDER = 1e-4  # sums of float32 in another order: what batching and padding may change
BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """One check: the worst difference found, what is allowed, and what a failure would mean."""

    name: str
    passed: bool
    worst: float
    tolerance: float
    meaning: str


def reload_equal(reward_model: RewardModel, folder: Path, rows: Sequence[Encoded]) -> SelfCheck:
    """Scores in memory against the saved folder as plain transformers opens it, no code of ours in between."""
    again = open_model(folder).to(reward_model.device).eval()
    with torch.no_grad():
        parts = [rewards_padded(again, part).cpu().numpy() for part in _parts(rows, BATCH)]
    meaning = (
        "The saved folder is not the model that was trained: a head or an adapter was not saved, or its padding token "
        "ends rows."
    )
    # A GPU's packed and padded kernels sum in other orders: 1.4e-5 was seen on an H100 of a model saved whole.
    allowed = ORDER if reward_model.device.type == "cuda" else RELOAD
    return _compare("reload_equal", reward_model.score(rows), np.concatenate(parts), allowed, meaning)


def batch_invariance(reward_model: RewardModel, rows: Sequence[Encoded]) -> SelfCheck:
    """Each row alone against 32 rows at a time, prompts shared where the model can."""
    with evaluating(reward_model.model):
        alone = [reward_model.rewards([row], sharing="off").cpu().numpy() for row in rows]
        many = [reward_model.rewards(part).cpu().numpy() for part in _parts(rows, BATCH)]
    meaning = "A reward depends on what else is in the batch: padding is not masked, or the wrong token is read."
    return _compare("batch_invariance", np.concatenate(alone), np.concatenate(many), ORDER, meaning)


def padding_side(reward_model: RewardModel, rows: Sequence[Encoded]) -> SelfCheck:
    """Decoders: rows padded left against padded right. Encoders, whose class token is first: padded against not."""
    with evaluating(reward_model.model):
        right = [rewards_padded(reward_model.model, part).cpu().numpy() for part in _parts(rows, BATCH)]
        if reward_model.renderer.kind == "encoder":
            other = [rewards_padded(reward_model.model, [row]).cpu().numpy() for row in rows]
        else:
            parts = _parts(rows, BATCH)
            other = [rewards_padded(reward_model.model, part, side="left").cpu().numpy() for part in parts]
    meaning = "A server that pads otherwise would give other rewards than training saw."
    return _compare("padding_side", np.concatenate(right), np.concatenate(other), ORDER, meaning)


def swap_mirrors(reward_model: RewardModel, chosen: Sequence[Encoded], rejected: Sequence[Encoded]) -> SelfCheck:
    """Pairs scored again with their sides swapped: what was right must be wrong, ties counted; worst is a share."""
    if not chosen:
        raise EmptyBatchError("There are no pairs to check. Give at least one.")
    half = len(chosen)
    straight = reward_model.score([*chosen, *rejected])
    swapped = reward_model.score([*rejected, *chosen])
    n = straight[:half].size  # of a model with several heads, each head's comparison of each pair
    right = int((straight[:half] > straight[half:]).sum())
    mirrored = int((swapped[:half] > swapped[half:]).sum())
    ties = int((straight[:half] == straight[half:]).sum())
    # Swapped, a pair is right where it was wrong: so the two counts and the ties make up all pairs.
    worst = abs(n - right - mirrored - ties) / n
    meaning = "The reward of an answer depends on which side of the pair it stands, so accuracy is not its own."
    # Sides whose rewards differ by rounding only may fall either way when rows are batched in another order.
    close = int((np.abs(straight[:half] - straight[half:]) <= ORDER * max(1.0, float(np.abs(straight).max()))).sum())
    return SelfCheck(name="swap_mirrors", passed=worst <= close / n, worst=worst, tolerance=close / n, meaning=meaning)


def _parts(rows: Sequence[Encoded], size: int) -> list[Sequence[Encoded]]:
    if not rows:
        raise EmptyBatchError("There are no rows to check. Give at least one.")
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _compare(name: str, a: NDArray[np.float32], b: NDArray[np.float32], tolerance: float, meaning: str) -> SelfCheck:
    """Worst absolute difference, relative to the largest reward or to 1; not-a-number anywhere is a failure."""
    scale = max(1.0, float(np.abs(a).max()))
    worst = float(np.abs(a - b).max()) / scale
    return SelfCheck(name=name, passed=bool(worst <= tolerance), worst=worst, tolerance=tolerance, meaning=meaning)
