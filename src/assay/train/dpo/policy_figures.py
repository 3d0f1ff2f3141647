"""What is watched of a policy, exact over pairs: implicit rewards, and where the log-probabilities of both sides go.

Knows figures by name; knows no model. An accuracy says nothing of the direction: margins also grow while both answers
become less likely, which is why the changes of both sides stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.records import Pair, PairScore
from assay.train import pair_figures
from assay.train.objective import Seen

SIDES = ("chosen", "rejected")


@dataclass(frozen=True, slots=True)
class PolicyScore(PairScore):
    """The implied rewards of one pair, and what they are made of: summed log-probabilities in nats, and tokens."""

    chosen_logprob: float
    rejected_logprob: float
    chosen_reference: float
    rejected_reference: float
    chosen_tokens: int
    rejected_tokens: int


def step_figures(seen: Sequence[Seen]) -> dict[str, float]:
    """Of one step, before its update: as of rewards, and log-probabilities of both sides, summed and a token.

    seen: with figures chosen, rejected and, by side, SIDE_logprob, SIDE_change and SIDE_tokens.
    """
    columns = {name: np.array([one.figures[name] for one in seen]) for name in seen[0].figures}
    return {**pair_figures.step_figures(seen), **side_figures(columns)}


def held_out_figures(scores: Sequence[PolicyScore], pairs: Sequence[Pair]) -> dict[str, int | float | None]:
    """Over held-out pairs: accuracy, n, ties and margin as of rewards, and both sides as in `step_figures`."""
    figures = pair_figures.held_out_figures(scores, pairs)
    if not scores:
        return figures
    columns = {
        f"{side}_{name}": np.array([getattr(one, f"{side}_{name}") for one in scores], dtype=np.float64)
        for side in SIDES
        for name in ("logprob", "reference", "tokens")
    }
    for side in SIDES:
        columns[f"{side}_change"] = columns[f"{side}_logprob"] - columns[f"{side}_reference"]
    return {**figures, **side_figures(columns)}


def side_figures(columns: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]) -> dict[str, float]:
    """Means over pairs, in nats; a token's are sums by sums, so that a long answer counts as long."""
    found: dict[str, float] = {}
    for side in SIDES:
        logprob, tokens = columns[f"{side}_logprob"], columns[f"{side}_tokens"]
        found[f"{side}_logprob"] = float(logprob.mean())
        found[f"{side}_logprob_per_token"] = float(logprob.sum() / tokens.sum())
        found[f"{side}_change"] = float(columns[f"{side}_change"].mean())
    return found
