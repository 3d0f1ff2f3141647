"""What must hold of a saved reward model, checked on real rows right after training. Knows models; trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from assay.engine.render import Encoded
from assay.engine.reward_model import RewardModel

# float32 sums in another order differ by this much, relative to the largest reward (or 1); bf16 autocast is off here.
TOLERANCE = 1e-4
RELOAD = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """One check: the worst difference found, what is allowed, and what a failure would mean."""

    name: str
    passed: bool
    worst: float | None
    tolerance: float
    meaning: str


def reload_equal(reward_model: RewardModel, folder: Path, rows: Sequence[Encoded]) -> SelfCheck:
    """Scores of the model in memory against the saved folder read again."""
    again = RewardModel.load(folder).score(rows)
    return compare(
        "reload_equal",
        reward_model.score(rows),
        again,
        RELOAD,
        "The saved folder is not the model that was trained: a head or an adapter was not saved.",
    )


def batch_invariance(reward_model: RewardModel, rows: Sequence[Encoded]) -> SelfCheck:
    """Each row alone against 32 rows at a time."""
    with torch.inference_mode():
        alone = np.concatenate([reward_model.rewards([row], sharing="off").cpu().numpy() for row in rows])
        many = [reward_model.rewards(rows[i : i + 32]).cpu().numpy() for i in range(0, len(rows), 32)]
    meaning = "A reward depends on what else is in the batch: padding is not masked, or the wrong token is read."
    return compare("batch_invariance", alone, np.concatenate(many), TOLERANCE, meaning)


def padding_side(reward_model: RewardModel, rows: Sequence[Encoded]) -> SelfCheck:
    """The whole model as transformers runs it, rows padded left against padded right."""
    sides = [padded_scores(reward_model, rows, side) for side in ("left", "right")]
    meaning = "A server that pads on the other side would give other rewards than training saw."
    return compare("padding_side", sides[0], sides[1], TOLERANCE, meaning)


def padded_scores(reward_model: RewardModel, rows: Sequence[Encoded], side: str) -> NDArray[np.float32]:
    """Rewards of the plain transformers model on one batch padded on `side`; positions count real tokens."""
    longest = max(len(row.ids) for row in rows)
    pad = reward_model.renderer.tokenizer.pad_token_id or 0
    ids_NT = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask_NT, types_NT = torch.zeros_like(ids_NT), torch.zeros_like(ids_NT)
    for i, row in enumerate(rows):
        place = slice(0, len(row.ids)) if side == "right" else slice(longest - len(row.ids), longest)
        ids_NT[i, place] = torch.tensor(row.ids)
        mask_NT[i, place] = 1
        types_NT[i, place] = torch.tensor(row.type_ids or (0,) * len(row.ids))
    inputs = {"input_ids": ids_NT, "attention_mask": mask_NT}
    positions_NT = (mask_NT.cumsum(1) - 1).clamp(min=0)
    if reward_model.renderer.kind == "encoder":
        inputs |= {"token_type_ids": types_NT} if any(row.type_ids for row in rows) else {}
        if side == "left":
            return encoder_rows_alone(reward_model, rows)
    else:
        inputs["position_ids"] = positions_NT
    with torch.inference_mode():
        moved = {name: value.to(reward_model.device) for name, value in inputs.items()}
        logits_N1 = reward_model.model(**moved).logits
    return np.asarray(logits_N1[:, 0].float().cpu().numpy(), dtype=np.float32)


def encoder_rows_alone(reward_model: RewardModel, rows: Sequence[Encoded]) -> NDArray[np.float32]:
    """An encoder's class token stands first, so left padding is not defined for it; unpadded rows stand in."""
    with torch.inference_mode():
        return np.concatenate([reward_model.rewards([row]).cpu().numpy() for row in rows])


def swap_mirrors(chosen: Sequence[float], rejected: Sequence[float]) -> SelfCheck:
    """Accuracy, counted strictly, with chosen and rejected swapped: 1 - accuracy - share of ties."""
    a, b = np.asarray(chosen), np.asarray(rejected)
    n = max(len(a), 1)
    straight, swapped, ties = float((a > b).sum()) / n, float((b > a).sum()) / n, float((a == b).sum()) / n
    worst = abs(1.0 - straight - swapped - ties)
    meaning = "Accuracy does not come from comparing the two rewards: values that cannot be compared are among them."
    return SelfCheck(name="swap_mirrors", passed=worst <= 1e-9, worst=worst, tolerance=1e-9, meaning=meaning)


def compare(name: str, a: NDArray[np.float32], b: NDArray[np.float32], tolerance: float, meaning: str) -> SelfCheck:
    """Worst absolute difference, relative to the largest reward or to 1."""
    scale = max(1.0, float(np.abs(a).max(initial=0.0)))
    worst = float(np.abs(a - b).max(initial=0.0)) / scale
    return SelfCheck(name=name, passed=bool(worst <= tolerance), worst=worst, tolerance=tolerance, meaning=meaning)
