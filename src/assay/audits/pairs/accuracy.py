"""Held-out pairwise accuracy, the length rule beside it, categories and seeds. Knows no reward's scale.

Ties count as wrong for the reward (it gives no choice) and as half for the length rule (a coin would do as well).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned, Mask
from assay.findings.finding import Finding, Judgement, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.intervals import (
    Array,
    Codes,
    Interval,
    Names,
    cluster_difference,
    cluster_mean,
    cluster_t,
    cluster_wilson,
)
from assay.stats.unknown import Unknown


def longest_wins(length: Array) -> Array:
    """1 where chosen is longer, 0 where it is shorter, 0.5 where both are equally long; (N, 2) -> (N,)."""
    return np.asarray(0.5 + 0.5 * np.sign(length[:, 0] - length[:, 1]))


def accuracy_findings(aligned: Aligned, *, level: float) -> list[Finding]:
    """Accuracy, length rule and the difference of the two: overall and per category, over seeds and per seed."""
    found: list[Finding] = []
    for where, mask in aligned.slices():
        found.append(_accuracy(aligned, aligned.correct.mean(axis=0), where, mask, level=level))
        if len(aligned.seeds) > 1:
            found += [
                _accuracy(aligned, aligned.correct[row], where, mask, level=level, seed=seed)
                for row, seed in enumerate(aligned.seeds)
            ]
        found += _against_length(aligned, where, mask, level=level)
    found += _against_tokens(aligned, level=level)
    found.append(_tied(aligned, level=level))
    return [*found, _category_gap(aligned, level=level), _seed_spread(aligned)]


def coin(interval: Interval | Unknown) -> Judgement | None:
    """Judge an accuracy against a coin: ok above one half, a problem below it, a warning if it may be either."""
    if isinstance(interval, Unknown):
        return None
    if interval.low > 0.5:
        return "ok"
    return "problem" if interval.high < 0.5 else "warning"


def evidence_detail(values_N: Array, groups: Names) -> dict[str, object]:
    """Clusters and design effect behind an interval, for the reader and for the gate's 'how many more'."""
    found = cluster_mean(values_N, groups)
    if isinstance(found, Unknown):
        return {"clusters": 0, "design_effect": None}
    effect = found.design_effect
    if effect is None and found.clusters > 1:
        effect = found.n / found.clusters  # nothing varies, so clusters alone count as draws
    return {"clusters": found.clusters, "design_effect": effect}


def _accuracy(
    aligned: Aligned, correct_N: Array, where: Slice, mask: Mask, *, level: float, seed: int | None = None
) -> Finding:
    values, groups = correct_N[mask], aligned.groups[mask]
    interval = cluster_wilson(values, groups, level=level)
    rows = range(len(aligned.seeds)) if seed is None else [aligned.seeds.index(seed)]
    equal = (aligned.chosen == aligned.rejected)[:, mask]
    detail = evidence_detail(values, groups) | {
        "ties": float(equal[list(rows)].sum(axis=1).mean()),
        "not_finite": float((~aligned.finite[:, mask])[list(rows)].sum(axis=1).mean()),
        "label_ties_set_aside": aligned.set_aside if where == OVERALL else None,
    }
    if seed is None:
        detail["per_seed"] = {str(s): float(aligned.correct[row][mask].mean()) for row, s in enumerate(aligned.seeds)}
    return measured(
        MEANINGS["accuracy"],
        float(values.mean()),
        n=int(mask.sum()),
        interval=interval,
        slice=where,
        verdict=coin(interval),
        seed=seed,
        detail=detail,
    )


def _against_length(aligned: Aligned, where: Slice, mask: Mask, *, level: float) -> list[Finding]:
    """The rule, and what accuracy has beyond it, for the longest and for the shortest."""
    n, groups = int(mask.sum()), aligned.groups[mask]
    longest, correct = longest_wins(aligned.length)[mask], aligned.correct.mean(axis=0)[mask]
    rule = measured(
        MEANINGS["length_baseline"],
        float(longest.mean()),
        n=n,
        interval=cluster_wilson(longest, groups, level=level),
        slice=where,
        detail={"equal_lengths": int((longest == 0.5).sum()), "unit": "characters", "clusters": len(set(groups))},
    )
    beyond = [
        _difference(name, correct, baseline, groups, where, level=level)
        for name, baseline in (("accuracy_beyond_length", longest), ("accuracy_beyond_shortest", 1 - longest))
    ]
    return [rule, *beyond]


def _difference(name: str, correct: Array, baseline: Array, groups: Codes, where: Slice, *, level: float) -> Finding:
    interval = cluster_difference(correct, baseline, groups, level=level)
    verdict: Judgement | None = None
    if isinstance(interval, Interval):
        verdict = "ok" if interval.low > 0 else "problem" if interval.high <= 0 else "warning"
    detail = {"baseline": float(baseline.mean()), "clusters": len(set(groups))}
    return measured(
        MEANINGS[name],
        float((correct - baseline).mean()),
        n=len(correct),
        interval=interval,
        slice=where,
        verdict=verdict,
        detail=detail,
    )


def _against_tokens(aligned: Aligned, *, level: float) -> list[Finding]:
    if aligned.tokens is None:
        return []
    values = longest_wins(aligned.tokens)
    detail = {
        "equal_lengths": int((values == 0.5).sum()),
        "unit": "tokens",
        "accuracy_beyond": float((aligned.correct.mean(axis=0) - values).mean()),
    }
    interval = cluster_wilson(values, aligned.groups, level=level)
    return [
        measured(
            MEANINGS["length_baseline_tokens"], float(values.mean()), n=aligned.n, interval=interval, detail=detail
        )
    ]


def _tied(aligned: Aligned, *, level: float) -> Finding:
    tied = (aligned.finite & (aligned.chosen == aligned.rejected)).astype(np.float64)
    share = float(tied.mean())
    per_seed = {str(seed): float(value) for seed, value in zip(aligned.seeds, tied.mean(axis=1), strict=True)}
    verdict: Judgement = "ok" if share <= 0.01 else "warning" if share <= 0.1 else "problem"
    interval = cluster_wilson(tied.mean(axis=0), aligned.groups, level=level)
    return measured(
        MEANINGS["tied_pairs"], share, n=aligned.n, interval=interval, verdict=verdict, detail={"per_seed": per_seed}
    )


def _category_gap(aligned: Aligned, *, level: float) -> Finding:
    """Best minus worst category. The two were picked because they are extreme, so the level is Bonferroni-corrected
    for every two categories that could have been picked."""
    slices = aligned.slices()[1:]
    if len(slices) < 2:
        reason = "the pairs name no categories" if not slices else "there is one category only"
        return unknown(MEANINGS["category_gap"], f"{reason}, so there is no gap to measure", n=aligned.n)
    correct = aligned.correct.mean(axis=0)
    ranked = sorted(slices, key=lambda item: float(correct[item[1]].mean()))
    (worst, low), (best, high) = ranked[0], ranked[-1]
    tests = len(list(combinations(slices, 2)))
    # Each pair's pull on the difference of the two means; pairs under one prompt may lie in both categories.
    gap = float(correct[high].mean() - correct[low].mean())
    pull = np.zeros(aligned.n)
    pull[high] += (correct[high] - correct[high].mean()) / high.mean()
    pull[low] -= (correct[low] - correct[low].mean()) / low.mean()
    both = low | high
    pairs = {"best_pairs": int(high.sum()), "worst_pairs": int(low.sum())}
    # The best and the worst were picked by looking; any two could have been, so each gets its share of the error.
    strict = 1 - (1 - level) / tests
    interval = cluster_t(pull[both] * both.mean(), aligned.groups[both], level=strict)
    # A category of one prompt adds nothing to that variance, and an unknown part of it must not count as none.
    single = [where.name for where, mask in (ranked[0], ranked[-1]) if len(set(aligned.groups[mask])) < 2]
    if single:
        names = " and ".join(str(name) for name in single)
        interval = Unknown(f"all pairs of {names} belong to one prompt group, so nothing is known about other prompts")
    if isinstance(interval, Interval):
        how = f"t, clustered by prompt group, Bonferroni over {tests} pairs of categories"
        # Only the width is taken: pulls have mean 0 by making, so their interval lies around 0 and the gap's own around
        # the gap.
        reach = (interval.high - interval.low) / 2 or _reach_without_variation(aligned, both, strict)
        interval = Interval(low=max(-1.0, gap - reach), high=min(1.0, gap + reach), level=level, method=how)
    verdict: Judgement | None = None if isinstance(interval, Unknown) else "ok" if interval.low <= 0 else "warning"
    detail = {
        "best": best.name,
        "worst": worst.name,
        "best_accuracy": float(correct[high].mean()),
        "worst_accuracy": float(correct[low].mean()),
        **pairs,
    }
    return measured(MEANINGS["category_gap"], gap, n=int(both.sum()), interval=interval, verdict=verdict, detail=detail)


def _reach_without_variation(aligned: Aligned, mask: Mask, level: float) -> float:
    """Half-width for two categories in which nothing varies: what as many clusters without a surprise still allow."""
    bound = cluster_wilson(np.ones(int(mask.sum())), aligned.groups[mask], level=level)
    return 1 - bound.low if isinstance(bound, Interval) else 1.0


def _seed_spread(aligned: Aligned) -> Finding:
    if len(aligned.seeds) < 2:
        return unknown(
            MEANINGS["seed_spread"], "one seed was trained, so its luck is unknown; train with --seeds 3", n=aligned.n
        )
    by_seed = aligned.correct.mean(axis=1)
    detail = {
        "mean": float(by_seed.mean()),
        "sd": float(by_seed.std(ddof=1)),
        "min": float(by_seed.min()),
        "max": float(by_seed.max()),
        "seeds": len(aligned.seeds),
    }
    none = Unknown("highest minus lowest describes these seeds; it grows with their number and is no estimate")
    return measured(MEANINGS["seed_spread"], float(np.ptp(by_seed)), n=aligned.n, interval=none, detail=detail)
