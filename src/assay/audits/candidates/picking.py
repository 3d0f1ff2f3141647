"""What picking by a reward comes to within each group: top-1, gold of the pick, order, ties. Knows arrays only.

Letters: L leading axes (seeds, groups), K answers of a group. Equal highest rewards are a pick at random among them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from assay.audits.candidates.group_scores import SameSize
from assay.stats.intervals import Array

MANY_PAIRS = 50_000_000  # compared at once: some 400 MB


def picked(reward_LK: Array, value_LK: Array) -> Array:
    """Expected value of the pick, (L,). A group without one finite reward picks what is worst: it cannot choose."""
    top_LK = (reward_LK == reward_LK.max(axis=-1, keepdims=True)) & np.isfinite(reward_LK)
    count_L = top_LK.sum(axis=-1)
    chosen_L = np.where(top_LK, value_LK, 0.0).sum(axis=-1) / np.maximum(count_L, 1)
    return np.asarray(np.where(count_L > 0, chosen_L, np.broadcast_to(value_LK, reward_LK.shape).min(axis=-1)))


def is_best(gold_GK: Array) -> Array:
    """1.0 for each best answer of its group, (G, K)."""
    return np.asarray(gold_GK == gold_GK.max(axis=-1, keepdims=True), dtype=np.float64)


def top1(reward_LK: Array, gold_GK: Array) -> Array:
    """Chance that the pick is a best answer, (L,)."""
    return picked(reward_LK, is_best(gold_GK))


def recovery_parts(same: SameSize) -> Array:
    """Of each group what the pick gains over a blind one, mean over seeds, and what the best would gain, (G, 2).

    Source: 2603.12520; recovery is the ratio of the two sums.
    """
    blind_G = same.gold.mean(axis=-1)
    gained_G = picked(same.reward, same.gold).mean(axis=0) - blind_G
    return np.column_stack([gained_G, same.gold.max(axis=-1) - blind_G])


def kendall(reward_LK: Array, gold_GK: Array) -> Array:
    """Kendall's tau-b within each group, (L,); 0 where the reward is the same for all, which orders nothing.

    Pairs tied in gold count for nothing, pairs tied in reward lower the figure.
    """
    if reward_LK.size * reward_LK.shape[-1] > MANY_PAIRS and gold_GK.ndim > 1 and len(gold_GK) > 1:
        # Groups of hundreds have tens of thousands of pairs each: a part of the groups at once.
        half = len(gold_GK) // 2
        parts = (reward_LK[..., :half, :], gold_GK[:half]), (reward_LK[..., half:, :], gold_GK[half:])
        return np.concatenate([kendall(*part) for part in parts], axis=-1)
    first, second = np.triu_indices(gold_GK.shape[-1], 1)
    # By order and not by difference: two rewards that are not finite are equal, and their difference is no number.
    reward = (reward_LK[..., first] > reward_LK[..., second]).astype(np.int8)
    reward = reward - (reward_LK[..., first] < reward_LK[..., second])
    gold = np.sign(gold_GK[..., first] - gold_GK[..., second])
    agreed = (reward * gold).sum(axis=-1, dtype=np.float64)
    size = np.sqrt(np.abs(reward).sum(axis=-1, dtype=np.float64) * np.abs(gold).sum(axis=-1))
    return np.asarray(np.divide(agreed, size, out=np.zeros_like(agreed), where=size > 0))


def spearman(reward_LK: Array, gold_GK: Array) -> Array:
    """Pearson r of mid-ranks within each group, (L,); 0 where the reward is the same for all."""
    one, other = _centred(_ranks(reward_LK)), _centred(_ranks(gold_GK))
    size = np.sqrt(np.square(one).sum(axis=-1) * np.square(other).sum(axis=-1))
    together = (one * other).sum(axis=-1)
    return np.asarray(np.divide(together, size, out=np.zeros_like(together), where=size > 0))


def tied_parts(same: SameSize) -> Array:
    """Pairs of answers that people order: those the reward ties, mean over seeds, and how many there are, (G, 2)."""
    # Pairs that the reward ties are counted by sorting, and of them those that gold ties as well are taken off: no
    # array of all pairs, which groups of hundreds of answers would fill the memory with.
    reward, gold = same.reward, np.broadcast_to(same.gold, same.reward.shape)
    order = np.lexsort((gold, reward), axis=-1)
    reward, gold = np.take_along_axis(reward, order, axis=-1), np.take_along_axis(gold, order, axis=-1)
    by_reward = reward[..., 1:] == reward[..., :-1]
    both = by_reward & (gold[..., 1:] == gold[..., :-1])
    in_gold = np.sort(same.gold, axis=-1)
    pairs = same.gold.shape[-1] * (same.gold.shape[-1] - 1) / 2
    ordered_G = pairs - _pairs_in_runs(in_gold[..., 1:] == in_gold[..., :-1])
    return np.column_stack([(_pairs_in_runs(by_reward) - _pairs_in_runs(both)).mean(axis=0), ordered_G])


def _pairs_in_runs(equal_LK: npt.NDArray[np.bool_]) -> Array:
    """Pairs within runs of equal neighbours, (L,): a member that k in its run stand before closes k pairs."""
    before = np.zeros(equal_LK.shape[:-1])
    found = np.zeros_like(before)
    for place in range(equal_LK.shape[-1]):
        before = np.where(equal_LK[..., place], before + 1, 0)
        found += before
    return found


def _ranks(values_LK: Array) -> Array:
    """Mid-ranks from 1, (L, K)."""
    return np.asarray(scipy_stats.rankdata(values_LK, axis=-1))


def _centred(values_LK: Array) -> Array:
    return np.asarray(values_LK - values_LK.mean(axis=-1, keepdims=True))
