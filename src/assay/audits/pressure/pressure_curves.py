"""Reward and gold of the pick at each n, prompt by prompt, and the same in spreads. Knows numbers only.

A prompt's curve is the mean over seeds, each seed picking by itself.
Letters: S seeds, G prompts, N answers of a prompt, M values of n.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.audits.pressure.pressed_prompts import PressedPrompt
from assay.stats.best_of_n import expected_best, kl_bound
from assay.stats.intervals import Array, Codes, cluster_codes


@dataclass(frozen=True, kw_only=True)
class PressureCurves:
    """proxy, gold: of the pick by the reward, best: gold of the pick by gold; all (G, M).

    proxy_variance, gold_variance: among the answers of each prompt, (G,). codes: prompt groups, (G,).
    """

    ns: tuple[int, ...]
    proxy: Array
    gold: Array
    best: Array
    proxy_variance: Array
    gold_variance: Array
    codes: Codes

    @cached_property
    def kl(self) -> Array:
        """The KL bound of each n, (M,)."""
        return np.array([kl_bound(n) for n in self.ns])

    @cached_property
    def gold_gains(self) -> Array:
        """Gold above that of a random answer, in spreads of gold, (G, M): their means are ratios of two means."""
        return in_spreads(self.gold - self.gold[:, :1], self.gold_variance)

    @cached_property
    def proxy_gains(self) -> Array:
        """The reward above that of a random answer, in spreads of the reward, (G, M)."""
        return in_spreads(self.proxy - self.proxy[:, :1], self.proxy_variance)

    @property
    def why_flat(self) -> str | None:
        """Why nothing can be picked or judged here; None where something can."""
        if not self.proxy_variance.any():
            return "the reward gives all answers of each prompt the same number, so it cannot pick"
        if not self.gold_variance.any():
            return "gold is the same for all answers of each prompt, so no pick is better than another"
        return None


def pressure_curves(prompts: Sequence[PressedPrompt], ns: Sequence[int]) -> PressureCurves:
    """Every prompt's curves, in the order of the prompts."""
    count, points = len(prompts), len(ns)
    proxy, gold, best = (np.empty((count, points)) for _ in range(3))
    for places in by_shape(prompts):
        proxy_SGN = np.stack([prompts[place].proxy for place in places], axis=1)
        gold_GN = np.stack([prompts[place].gold for place in places])
        proxy[places] = expected_best(proxy_SGN, proxy_SGN, ns).mean(axis=0)
        gold[places] = expected_best(proxy_SGN, gold_GN, ns).mean(axis=0)
        best[places] = expected_best(gold_GN, gold_GN, ns)
    return PressureCurves(
        ns=tuple(ns),
        proxy=proxy,
        gold=gold,
        best=best,
        proxy_variance=np.array([within(one.proxy).mean() for one in prompts]),
        gold_variance=np.array([within(one.gold) for one in prompts]),
        codes=cluster_codes([one.cluster for one in prompts]),
    )


def within(values_LN: Array) -> Array:
    """Variance among the answers, exactly 0 where all are the same, (L,)."""
    # The mean of equal numbers may be off by a rounding, and the variance would then not be 0.
    alike = values_LN.max(axis=-1) == values_LN.min(axis=-1)
    return np.asarray(np.where(alike, 0.0, values_LN.var(axis=-1, ddof=1)))


def by_shape(prompts: Sequence[PressedPrompt], most: int = 4_000_000) -> list[list[int]]:
    """Places of the prompts with as many answers each, few enough at once to be held several times in memory."""
    sizes: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(prompts):
        sizes[len(one.answers)].append(place)
    found = []
    for size, places in sizes.items():
        rows = max(1, most // (size * len(prompts[places[0]].proxy)))
        found += [places[start : start + rows] for start in range(0, len(places), rows)]
    return found


def in_spreads(value_GM: Array, variance_G: Array) -> Array:
    """Values whose mean over prompts is the mean of `value_GM` over the root of the mean variance, with its error.

    A ratio of two means taken prompt by prompt, to first order (the delta method): an interval for the mean of these
    knows that the spread was estimated as well.
    """
    variance = float(variance_G.mean())
    if not variance > 0:
        return np.zeros_like(value_GM)
    ratio_M = value_GM.mean(axis=0) / variance**0.5
    return np.asarray(value_GM / variance**0.5 - ratio_M * ((variance_G - variance) / (2 * variance))[:, None])
