"""The audit's part on groups of candidates: top-1, recovery, order, ties; beside chance and both length rules.

Intervals are over prompt groups; of several seeds the mean over seeds is taken group by group. Letters as in `picking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from scipy import stats as scipy_stats

from assay.artifacts.audit_groups_table import GroupSizeRow, GroupTable
from assay.audits.candidates.group_meanings import MEANINGS
from assay.audits.candidates.group_scores import GroupScores, SameSize, group_scores
from assay.audits.candidates.picking import is_best, kendall, recovery_parts, spearman, tied_parts, top1
from assay.audits.config import AuditConfig
from assay.audits.part import Found, Given
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.intervals import (
    Array,
    ClusterMean,
    Codes,
    Interval,
    cluster_bootstrap,
    cluster_mean,
    cluster_t,
    cluster_wilson,
    ending,
    mean_of_sums,
)
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

Strength = Literal["warning", "problem"]
MATTERS = 0.05  # a reward that picks a best answer so much less often than the rule it is held against matters


def groups_part(given: Given) -> Found:
    """Nothing where the data hold no groups of candidates."""
    if not given.candidates:
        return Found(findings=())
    scores = group_scores(given.candidates)
    return Found(findings=list(group_findings(scores, given.config)), tables={"groups": _table(scores)})


def group_findings(scores: GroupScores, config: AuditConfig) -> Iterator[Finding]:
    """The six figures of groups, each with its interval over prompt groups."""
    names = ("top1", "top1_beyond_chance", "top1_beyond_length", "recovery", "rank_correlation", "group_ties")
    if not scores.groups:
        why = max(scores.set_aside, key=lambda reason: scores.set_aside[reason], default="there is none")
        yield from (unknown(MEANINGS[name], f"no group of candidates can be judged: {why}") for name in names)
        return
    n = scores.groups
    cluster = np.concatenate([same.cluster for same in scores.by_size.values()])
    hit = _each(scores, lambda same: top1(same.reward, same.gold).mean(axis=0))
    chance = _each(scores, lambda same: is_best(same.gold).mean(axis=-1))
    rules = {
        "longest": _each(scores, lambda same: top1(same.length, same.gold)),
        "shortest": _each(scores, lambda same: top1(-same.length, same.gold)),
    }
    better = max(rules, key=lambda name: float(rules[name].mean()))
    by_rule = {name: float(rule.mean()) for name, rule in rules.items()}
    detail = {"chance": float(chance.mean()), **by_rule}
    interval = cluster_wilson(hit, cluster, level=config.level)
    yield measured(MEANINGS["top1"], float(hit.mean()), n=n, interval=interval, detail=detail)
    yield _beyond("top1_beyond_chance", hit - chance, cluster, config, {"chance": float(chance.mean())})
    yield _beyond("top1_beyond_length", hit - rules[better], cluster, config, {"rule": better, **by_rule})
    yield _recovery(scores, cluster, config)
    tau = _each(scores, lambda same: kendall(same.reward, same.gold).mean(axis=0))
    rho = _each(scores, lambda same: spearman(same.reward, same.gold).mean(axis=0))
    interval_of = ending(cluster_t(tau, cluster, level=config.level), -1.0, 1.0)
    detail = {"spearman": float(rho.mean())}
    yield measured(MEANINGS["rank_correlation"], float(tau.mean()), n=n, interval=interval_of, detail=detail)
    ties = _each(scores, tied_parts)
    found = _of_sums(ties, cluster, config, "group ties")
    share = float(ties[:, 0].sum() / ties[:, 1].sum())
    yield measured(MEANINGS["group_ties"], share, n=n, interval=ending(found, 0.0, 1.0))


def _beyond(name: str, apart_G: Array, cluster: Codes, config: AuditConfig, detail: dict[str, object]) -> Finding:
    """A difference in top-1, with an alarm for a reward that is below the rule: none is tolerated to be."""
    interval = cluster_t(apart_G, cluster, level=config.level)
    found = cluster_mean(apart_G, cluster)
    strength: Strength = "problem" if name == "top1_beyond_chance" else "warning"
    alarm = None
    if not isinstance(found, Unknown) and found.variance is not None:
        alarm = Alarm(p=_p_below(found), strength=strength, power=_power(found))
    value = float(apart_G.mean())
    interval = ending(interval, -1.0, 1.0)
    return measured(MEANINGS[name], value, n=len(apart_G), interval=interval, detail=detail, alarm=alarm)


def _p_below(found: ClusterMean) -> float:
    """One-sided p value of "not below 0"; where every group says the same, that of so many coins falling alike."""
    if found.variance:
        return float(scipy_stats.t.cdf(found.mean / found.variance**0.5, found.clusters - 1))
    return float(0.5**found.clusters) if found.mean < 0 else 1.0


def _power(found: ClusterMean) -> float:
    """Chance that a shortfall of MATTERS goes off by itself; 1 where these groups rule such a shortfall out."""
    if not found.variance:
        return 1.0
    error, reach = found.variance**0.5, float(scipy_stats.t.ppf(1 - FAMILY_ALPHA, found.clusters - 1))
    # What is shown to be well above the rule is no "too few", however few groups it took.
    if found.mean + MATTERS >= reach * error:
        return 1.0
    return float(scipy_stats.norm.sf(reach - MATTERS / error))


def _recovery(scores: GroupScores, cluster: Codes, config: AuditConfig) -> Finding:
    parts = _each(scores, recovery_parts)
    gained, most = parts.mean(axis=0)
    interval = _of_sums(parts, cluster, config, "recovery")
    detail = {"gold_gained": float(gained), "gold_to_gain": float(most)}
    return measured(MEANINGS["recovery"], float(gained / most), n=len(parts), interval=interval, detail=detail)


def _of_sums(parts_G2: Array, cluster: Codes, config: AuditConfig, use: str) -> Interval | Unknown:
    return cluster_bootstrap(
        parts_G2, cluster, mean_of_sums, use=use, level=config.level, resamples=config.resamples, seed=config.seed
    )


def _each(scores: GroupScores, of: Callable[[SameSize], Array]) -> Array:
    """A figure of every group, sizes one after another."""
    return np.concatenate([of(same) for same in scores.by_size.values()])


def _table(scores: GroupScores) -> GroupTable:
    return GroupTable(
        groups=scores.groups,
        known_by=dict(scores.known_by),
        set_aside=dict(scores.set_aside),
        sizes=[_row(size, same) for size, same in scores.by_size.items()],
    )


def _row(size: int, same: SameSize) -> GroupSizeRow:
    gained, most = recovery_parts(same).sum(axis=0)
    return GroupSizeRow(
        size=size,
        groups=len(same.cluster),
        top1=float(top1(same.reward, same.gold).mean()),
        chance=float(is_best(same.gold).mean()),
        longest=float(top1(same.length, same.gold).mean()),
        shortest=float(top1(-same.length, same.gold).mean()),
        recovery=float(gained / most) if most > 0 else None,
    )
