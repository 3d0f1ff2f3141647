"""Held-out pairwise accuracy, the length rule beside it, categories and seeds. Knows no reward's scale.

Ties count as wrong for the reward (it gives no choice) and as half for the length rule (a coin would do as well).
"""

from __future__ import annotations

import math

import numpy as np

from assay.audits.pairs.alarm_rules import Floor, mean_alarm, share_alarm
from assay.audits.pairs.category_gap import category_gap
from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.pairs.seed_spread import seed_spread
from assay.audits.scores_table import Aligned, Mask
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, Judgement, measured
from assay.findings.slice import OVERALL, Slice
from assay.stats.intervals import (
    Array,
    ClusterMean,
    Codes,
    Names,
    cluster_difference,
    cluster_mean,
    cluster_wilson,
    wilson_of,
)
from assay.stats.seed_variance import recipe_mean
from assay.stats.unknown import Unknown

# Judgements, not laws. A reward right on fewer than 60% of the pairs is weak, at a coin's half it is none.
ABOVE_A_COIN = Floor(tolerated=0.6, matters=0.5, strength="problem")
# Less than three points above a length rule is hardly more than the rule.
ABOVE_THE_RULE = Floor(tolerated=0.03, matters=0.0, strength="problem")
FEW_TIES = 2  # ties that may be chance in any number of pairs


def longest_wins(length: Array) -> Array:
    """1 where chosen is longer, 0 where it is shorter, 0.5 where both are equally long; (N, 2) -> (N,)."""
    return np.asarray(0.5 + 0.5 * np.sign(length[:, 0] - length[:, 1]))


def accuracy_findings(aligned: Aligned, *, level: float, seed: int = 0) -> list[Finding]:
    """Accuracy, length rule and the difference of the two: overall and per category, over seeds and per seed."""
    found: list[Finding] = []
    for where, mask in aligned.slices():
        found.append(_accuracy(aligned, where, mask, level=level))
        if len(aligned.seeds) > 1:
            found += [_accuracy(aligned, where, mask, level=level, seed=seed) for seed in aligned.seeds]
        found += _against_length(aligned, where, mask, level=level)
    found += _against_tokens(aligned, level=level)
    found.append(_tied(aligned, level=level))
    return [*found, category_gap(aligned, level=level, seed=seed), seed_spread(aligned)]


def evidence_detail(values_N: Array, groups: Names) -> dict[str, object]:
    """Clusters and design effect behind an interval, for the reader and for the gate's 'how many more'."""
    return detail_of(cluster_mean(values_N, groups))


def detail_of(found: ClusterMean | Unknown) -> dict[str, object]:
    """The same of a mean that is there already."""
    if isinstance(found, Unknown):
        return {"clusters": 0, "design_effect": None, "freedom": None}
    effect = found.design_effect
    if effect is None and found.clusters > 1:
        effect = found.n / found.clusters  # nothing varies, so clusters alone count as draws
    return {"clusters": found.clusters, "design_effect": effect, "freedom": found.freedom or None}


def _accuracy(aligned: Aligned, where: Slice, mask: Mask, *, level: float, seed: int | None = None) -> Finding:
    rows = range(len(aligned.seeds)) if seed is None else [aligned.seeds.index(seed)]
    correct = aligned.correct[list(rows)][:, mask]
    mean = recipe_mean(correct, aligned.groups[mask])
    equal = (aligned.chosen == aligned.rejected)[:, mask]
    detail = detail_of(mean) | {
        "ties": float(equal[list(rows)].sum(axis=1).mean()),
        "not_finite": float((~aligned.finite[:, mask])[list(rows)].sum(axis=1).mean()),
        "label_ties_set_aside": aligned.set_aside if where == OVERALL else None,
    }
    if seed is None:
        by_seed = zip(aligned.seeds, correct.mean(axis=1), strict=True)
        detail["per_seed"] = {str(name): float(value) for name, value in by_seed}
    # A seed's own categories are described: too many figures of the same pairs would only blunt the others' alarms.
    judged = seed is None or where == OVERALL
    return measured(
        MEANINGS["accuracy"],
        float(correct.mean()),
        n=int(mask.sum()),
        interval=wilson_of(mean, level=level),
        slice=where,
        alarm=share_alarm(mean, ABOVE_A_COIN) if judged else None,
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
    # Of a category only the rule to beat is judged: the other one is further below, and no alarm could come of it.
    harder = "accuracy_beyond_length" if longest.mean() >= 0.5 else "accuracy_beyond_shortest"
    beyond = [
        _difference(name, correct, baseline, groups, where, level=level, judged=where == OVERALL or name == harder)
        for name, baseline in (("accuracy_beyond_length", longest), ("accuracy_beyond_shortest", 1 - longest))
    ]
    return [rule, *beyond]


def _difference(
    name: str, correct: Array, baseline: Array, groups: Codes, where: Slice, *, level: float, judged: bool
) -> Finding:
    detail = {"baseline": float(baseline.mean()), "clusters": len(set(groups))}
    return measured(
        MEANINGS[name],
        float((correct - baseline).mean()),
        n=len(correct),
        interval=cluster_difference(correct, baseline, groups, level=level),
        slice=where,
        alarm=difference_alarm(correct - baseline, groups, ABOVE_THE_RULE) if judged else None,
        detail=detail,
    )


def difference_alarm(difference_N: Array, groups: Names, floor: Floor) -> Alarm | None:
    """Of a mean difference of two rules on the same pairs, values in [-1, 1]."""
    found = cluster_mean(difference_N, groups)
    if isinstance(found, Unknown) or found.variance is None:
        return None
    if found.variance == 0:
        # Never a difference in G prompts: the chance of that, were they different in a share `tolerated` of all.
        away = max(floor.tolerated - found.mean, 0.0)
        p = (1 - min(away, 1.0)) ** found.clusters
        return Alarm(p=p, strength=floor.strength, power=1.0 if found.mean > floor.tolerated else 0.0)
    # Few pairs may agree by luck in all they say: the spread is no less than that of one prompt more that does not.
    error = math.sqrt(max(found.variance, 1 / found.clusters**2))
    return mean_alarm(found.mean, error, found.freedom, floor)


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
    # Counted, not estimated: these pairs are tied, whatever others are.
    verdict: Judgement = "ok" if share <= 0.01 or tied.sum(axis=1).max() <= FEW_TIES else "warning"
    if share > 0.1 and verdict == "warning":
        verdict = "problem"
    interval = cluster_wilson(tied.mean(axis=0), aligned.groups, level=level)
    return measured(
        MEANINGS["tied_pairs"], share, n=aligned.n, interval=interval, verdict=verdict, detail={"per_seed": per_seed}
    )
