"""Named ways in which rewards are useless whatever their accuracy. Knows one seed's rewards; knows no label's truth.

Every rule is about shape, so that a reward of any sensible scale passes: the same rules fire on planted cases and stay
silent on a thousand healthy distributions (tests/audits/pairs/test_degenerate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from assay.findings.number_text import number_text
from assay.stats.intervals import Array

NARROW = 1e-3  # reward sd; sigmoid of such differences lies within 0.0004 of one half
ROUNDING = 1e-5  # of |mean|: about a hundred steps of float32
SAME = 0.95  # share of rewards with one value
FEW, ENOUGH = 5, 20  # at most 5 values among at least 20 rewards
TIED = 0.5
ENDS, END_WIDTH, EACH_END = 0.8, 0.02, 0.05
PROMPT_ONLY = 1e-3  # margin size against reward sd


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """One seed's rewards: both sides, (N,), and all finite ones together."""

    chosen: Array
    rejected: Array
    finite: Array


Rule = Callable[[Rewards], str | None]


def name_problems(chosen_N: Array, rejected_N: Array) -> dict[str, str]:
    """Names of what is wrong with the rewards and a sentence for each; empty for healthy rewards.

    Where rewards are constant, the weaker rules, which would fire as well, stay silent.
    """
    every = np.concatenate([chosen_N, rejected_N])
    rewards = Rewards(chosen=chosen_N, rejected=rejected_N, finite=every[np.isfinite(every)])
    found: dict[str, str] = {}
    for name, rule in RULES.items():
        sentence = rule(rewards)
        if sentence is not None:
            found[name] = sentence
            if name in LAST:
                break
    return found


def non_finite(rewards: Rewards) -> str | None:
    broken = rewards.chosen.size + rewards.rejected.size - rewards.finite.size
    return f"{broken} rewards are not finite numbers" if broken else None


def constant(rewards: Rewards) -> str | None:
    if rewards.finite.size >= 2 and np.ptp(rewards.finite) == 0:
        return f"every answer gets the reward {number_text(rewards.finite[0], 'g')}"
    return None


def nearly_constant(rewards: Rewards) -> str | None:
    if rewards.finite.size < 2:
        return None
    sd, mean = float(rewards.finite.std()), float(np.abs(rewards.finite.mean()))
    if sd < max(NARROW, ROUNDING * mean):
        middle = number_text(rewards.finite.mean(), ".4g")
        return f"rewards vary by {sd:.2g} (sd) around {middle}, which no use of them can see"
    values, counts = np.unique(rewards.finite, return_counts=True)
    share = float(counts.max() / rewards.finite.size)
    if rewards.finite.size >= ENOUGH and share >= SAME:
        return f"{share:.1%} of the answers get the same reward {number_text(values[counts.argmax()], 'g')}"
    return None


def few_distinct_values(rewards: Rewards) -> str | None:
    distinct = np.unique(rewards.finite).size
    if rewards.finite.size >= ENOUGH and distinct <= FEW:
        return f"only {distinct} different rewards among {rewards.finite.size} answers"
    return None


def all_ties(rewards: Rewards) -> str | None:
    if rewards.chosen.size and bool((rewards.chosen == rewards.rejected).all()):
        return "both answers get the same reward in every pair: the reward sees the prompt and not the answer"
    return None


def mostly_ties(rewards: Rewards) -> str | None:
    share = float((rewards.chosen == rewards.rejected).mean()) if rewards.chosen.size else 0.0
    if rewards.chosen.size >= ENOUGH and share >= TIED:
        return f"both answers get exactly the same reward in {share:.1%} of the pairs"
    return None


def chosen_equals_rejected(rewards: Rewards) -> str | None:
    margin = rewards.chosen - rewards.rejected
    margin = margin[np.isfinite(margin)]
    if margin.size < 2:
        return None
    size, spread = float(np.sqrt((margin**2).mean())), float(rewards.finite.std())
    if size < PROMPT_ONLY * spread:
        return f"rewards differ between prompts (sd {spread:.2g}) but hardly between answers to one ({size:.2g})"
    return None


def two_ends(rewards: Rewards) -> str | None:
    if rewards.finite.size < ENOUGH:
        return None
    low, high = float(rewards.finite.min()), float(rewards.finite.max())
    # Relative to the range, so that a saturated reward is found on any scale.
    width = END_WIDTH * (high - low)
    bottom, top = float((rewards.finite <= low + width).mean()), float((rewards.finite >= high - width).mean())
    if bottom + top >= ENDS and min(bottom, top) >= EACH_END:
        ends = f"{number_text(low, 'g')} and {number_text(high, 'g')}"
        return f"{bottom + top:.1%} of the rewards sit at the two ends {ends}: saturated, like a hard label"
    return None


RULES: Mapping[str, Rule] = {
    "non_finite": non_finite,
    "constant": constant,
    "nearly_constant": nearly_constant,
    "few_distinct_values": few_distinct_values,
    "all_ties": all_ties,
    "mostly_ties": mostly_ties,
    "chosen_equals_rejected": chosen_equals_rejected,
    "bimodal_saturation": two_ends,
}
LAST = frozenset({"constant", "nearly_constant", "all_ties"})
