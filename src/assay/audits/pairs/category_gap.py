"""How far categories lie apart, when luck is taken off, and whether one falls behind. Knows correctness and categories.

The best of twenty categories is best partly by luck, and the worst worst: what they show lies too far apart. Here each
category's accuracy is drawn towards the mean by as much as the figures differ no more than luck would make them
(Efron & Morris 1975; the spread between categories integrated out, as in Gelman et al. 2013, 5.4), and the gap is that
between the best and the worst of these. Shapes: N pairs, K categories, T spreads looked at, R draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned, Mask
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes, Interval, cluster_mean
from assay.stats.unknown import Unknown

BEHIND = 0.05  # what one category may lie below the rest before it is worth a word
SPREADS = np.linspace(0.0, 0.4, 81)  # standard deviations between categories that are looked at
LEANING = 30.0  # pairs' worth of the common accuracy in what a category's spread is taken from
ALIKE = 0.5  # chance beforehand that there is no difference; the other spreads share the rest
DRAWS = 4000
WEIGHT = 4.0  # in the family of alarms: it pays for all its categories out of its own share
NAMED = 3  # categories that a reason names; all stand in the table
METHOD = "hierarchical model of the categories, clustered by prompt group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """accuracy and its variance, of one category with two prompts or more."""

    name: str
    mask: Mask
    accuracy: float
    variance: float


def first_few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def category_gap(aligned: Aligned, *, level: float, seed: int) -> Finding:
    """Best minus worst category, with luck taken off; what they show, and each one's drawn figure, in detail."""
    slices = aligned.slices()[1:]
    meaning = MEANINGS["category_gap"]
    if len(slices) < 2:
        reason = "the pairs name no categories" if not slices else "there is one category only"
        return unknown(meaning, f"{reason}, so there is no gap to measure", n=aligned.n)
    correct = aligned.correct.mean(axis=0)
    seen = [_measured(where.label, mask, correct, aligned.groups) for where, mask in slices]
    known = [one for one in seen if one is not None]
    # One prompt says nothing of other prompts of its category, however many pairs it has.
    single = [where.label for (where, _), one in zip(slices, seen, strict=True) if one is None]
    if len(known) < 2:
        reason = f"fewer than two categories have two prompts or more (one prompt: {first_few(single)})"
        return unknown(meaning, reason, n=aligned.n)
    accuracy, variance = np.array([one.accuracy for one in known]), _variances(known)
    drawn, gaps = _posterior(accuracy, variance, seed=seed)
    low, high = (float(end) for end in np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2]))
    if _chance_of_spread(accuracy, variance) > (1 - level) / 2:
        low = 0.0  # luck alone would set them as far apart
    ranked = sorted(known, key=lambda one: one.accuracy)
    worst, best = ranked[0], ranked[-1]
    detail = {
        "best": best.name,
        "worst": worst.name,
        "best_accuracy": best.accuracy,
        "worst_accuracy": worst.accuracy,
        "best_pairs": int(best.mask.sum()),
        "worst_pairs": int(worst.mask.sum()),
        "seen": best.accuracy - worst.accuracy,
        "without_luck": {one.name: float(value) for one, value in zip(known, drawn, strict=True)},
        "of_one_prompt": single,
    }
    return measured(
        meaning,
        float(np.median(gaps)),
        n=int(np.any([one.mask for one in known], axis=0).sum()),
        interval=Interval(low=low, high=min(high, 1.0), level=level, method=METHOD),
        alarm=_alarm(correct, known, aligned.groups),
        detail=detail,
    )


def _measured(name: str, mask: Mask, correct: Array, groups: Codes) -> Category | None:
    values = correct[mask]
    found = cluster_mean(values, groups[mask])
    if isinstance(found, Unknown) or found.variance is None:
        return None
    # Few prompts may agree by luck. Half a pair of either kind more, as independent draws, is the least there can be.
    smooth = (values.sum() + 0.5) / (values.size + 1)
    least = smooth * (1 - smooth) / values.size
    return Category(name=name, mask=mask, accuracy=found.mean, variance=max(found.variance, least))


def _variances(known: list[Category]) -> Array:
    """Of each category's accuracy, (K,): one design effect for all, and spreads that lean on the common accuracy.

    A category's own spread would not do: one that is right on nearly all of its twenty pairs by luck would count as
    known exactly, and luck would look like a difference.
    """
    pairs, accuracy = np.array([one.mask.sum() for one in known]), np.array([one.accuracy for one in known])
    own = np.array([one.variance for one in known])
    common = float((pairs * accuracy).sum() / pairs.sum())
    effect = float((pairs**2 * own).sum() / max((pairs * accuracy * (1 - accuracy)).sum(), 1e-12))
    leaning = (pairs * accuracy + LEANING * common) / (pairs + LEANING)
    return np.asarray(
        np.clip(effect, 1.0, pairs.max()) * np.maximum(leaning * (1 - leaning), 0.25 / pairs.sum()) / pairs
    )


def _posterior(accuracy_K: Array, variance_K: Array, *, seed: int) -> tuple[Array, Array]:
    """Each category's mean, (K,), and draws of the gap between the best and the worst, (R,)."""
    total_TK = SPREADS[:, None] ** 2 + variance_K
    weight = 1 / total_TK
    mean_T = (weight * accuracy_K).sum(axis=1) / weight.sum(axis=1)
    # Log marginal likelihood of each spread, the common mean integrated out under a flat prior.
    fit = -0.5 * (np.log(total_TK) + (accuracy_K - mean_T[:, None]) ** 2 * weight).sum(axis=1)
    fit -= 0.5 * np.log(weight.sum(axis=1))
    before = np.full(SPREADS.size, (1 - ALIKE) / (SPREADS.size - 1))
    before[0] = ALIKE
    chance = before * np.exp(fit - fit.max())
    chance /= chance.sum()
    generator = stream(seed, "category gap")
    at = generator.choice(SPREADS.size, DRAWS, p=chance)
    middle = mean_T[at] + generator.normal(size=DRAWS) / np.sqrt(weight.sum(axis=1)[at])
    keep_RK = SPREADS[at][:, None] ** 2 * weight[at]  # share of a category's own figure that is kept
    centre = keep_RK * accuracy_K + (1 - keep_RK) * middle[:, None]
    drawn = centre + generator.normal(size=centre.shape) * np.sqrt(keep_RK * variance_K)
    return np.asarray(centre.mean(axis=0)), np.asarray(drawn.max(axis=1) - drawn.min(axis=1))


def _chance_of_spread(accuracy_K: Array, variance_K: Array) -> float:
    """p value of Cochran's test that all categories are alike."""
    weight = 1 / variance_K
    middle = (weight * accuracy_K).sum() / weight.sum()
    return float(special.chdtrc(accuracy_K.size - 1, (weight * (accuracy_K - middle) ** 2).sum()))


def _alarm(correct: Array, known: list[Category], groups: Codes) -> Alarm:
    """The category furthest behind the others, Bonferroni over all that could have been, beyond what is tolerated."""
    among = np.any([one.mask for one in known], axis=0)
    chances = []
    for one in known:
        rest = among & ~one.mask
        # Each pair's pull on the difference of two means; pairs under one prompt may lie on both sides.
        pull = np.zeros(correct.size)
        pull[one.mask] = (correct[one.mask] - one.accuracy) / one.mask.sum()
        pull[rest] = -(correct[rest] - correct[rest].mean()) / rest.sum()
        pull_G = np.bincount(groups[among], weights=pull[among])
        error = math.sqrt(max(float(np.square(pull_G).sum()), one.variance))
        prompts = np.unique(groups[one.mask]).size
        behind = float(correct[rest].mean()) - one.accuracy
        chances.append(float(special.stdtr(prompts - 1, (BEHIND - behind) / error)))
    return Alarm(p=min(1.0, min(chances) * len(chances)), weight=WEIGHT)
