"""Exact figures over pairs: of one optimiser step, and of the held-out pairs. Knows rewards and labels, not models.

A policy's implicit rewards are rewards here too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.records import Pair, PairScore
from assay.train.objective import Seen

LENGTH_HEAD = "chosen_length_reward", "rejected_length_reward"


def step_figures(seen: Sequence[Seen]) -> dict[str, float]:
    """Figures over all pairs of one optimiser step: no means of means, extremes that are extremes.

    seen: with figures `chosen` and `rejected`, the rewards of both sides. accuracy: share of pairs with chosen >
    rejected strictly. reward_*: over the rewards of both sides; std with n.
    """
    chosen = np.array([one.figures["chosen"] for one in seen])
    rejected = np.array([one.figures["rejected"] for one in seen])
    rewards = np.concatenate([chosen, rejected])
    return {
        "accuracy": float(np.mean(chosen > rejected)),
        "margin": float(np.mean(chosen - rejected)),
        "reward_mean": float(rewards.mean()),
        "reward_min": float(rewards.min()),
        "reward_max": float(rewards.max()),
        "reward_std": float(rewards.std()),
        **_regularised(seen),
    }


def _regularised(seen: Sequence[Seen]) -> dict[str, float]:
    """What regularised training sees beside it: means of its terms, and how far each head goes with length."""
    known = seen[0].figures if seen else {}
    weights = [one.weight for one in seen]
    found = {
        name: float(np.average([one.figures[name] for one in seen], weights=weights))
        for name in ("preference_loss", "text_loss", "inconsistency")
        if name in known
    }
    heads = {"length_correlation": ("chosen", "rejected"), "length_head_correlation": LENGTH_HEAD}
    for name, sides in heads.items() if LENGTH_HEAD[0] in known else ():
        rewards, tokens = (
            np.array([one.figures[side] for side in two for one in seen])
            for two in (sides, ("chosen_tokens", "rejected_tokens"))
        )
        if rewards.std() > 0 and tokens.std() > 0:  # else there is no correlation, and none is told
            found[name] = float(np.corrcoef(rewards, tokens)[0, 1])
    return found


def held_out_figures(scores: Sequence[PairScore], pairs: Sequence[Pair]) -> dict[str, int | float | None]:
    """Over the pairs with a definite label, scores and pairs in the same order: accuracy, n, ties, margin.

    accuracy: right / n, exact; equal rewards are wrong and counted as ties. It and the mean margin are None where no
    held-out pair has a definite label; n counts those that have.
    """
    # Of two answers called equal none can be ranked right.
    definite = [score for score, pair in zip(scores, pairs, strict=True) if pair.label == "chosen"]
    n = len(definite)
    return {
        "accuracy": sum(score.chosen > score.rejected for score in definite) / n if n else None,
        "n": n,
        "ties": sum(score.chosen == score.rejected for score in definite),
        "margin": float(np.mean([score.margin for score in definite])) if n else None,
    }
