"""How rewards are distributed. Knows rewards; knows no length and no text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.audits.pairs.degenerate import name_problems
from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.pairs.saturation import saturation
from assay.audits.scores_table import Aligned
from assay.findings.finding import Detail, Finding, Judgement, measured, unknown
from assay.stats.intervals import Array, Interval, cluster_logit_t, cluster_t
from assay.stats.unknown import Unknown

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BINS = 40
DESCRIBES = Unknown("it describes the rewards at hand and estimates nothing beyond them")


def distribution_findings(aligned: Aligned, *, level: float) -> list[Finding]:
    per_seed = [_degenerate(aligned, row, seed) for row, seed in enumerate(aligned.seeds)]
    found = [_over_seeds(aligned, per_seed)]
    if len(aligned.seeds) > 1:
        found += per_seed
    if not aligned.finite.any(axis=1).all():
        reason = "a seed has no pair with two finite rewards"
        names = ("reward_mean", "reward_sd", "distinct_values", "overlap", "separation", "saturation")
        return [*found, *(unknown(MEANINGS[name], reason, n=aligned.n) for name in names)]
    both = [np.concatenate(_sides(aligned, row)) for row in _rows(aligned)]
    return [
        *found,
        _mean(aligned, both, level=level),
        _described("reward_sd", aligned, [float(row.std(ddof=1)) for row in both], detail=_by_side(aligned, np.std)),
        _described("distinct_values", aligned, [float(np.unique(row).size) for row in both]),
        _overlap(aligned),
        _separation(aligned, level=level),
        saturation(aligned, level=level),
    ]


def overlap_coefficient(first_N: Array, second_M: Array, bins: int = BINS) -> float:
    """Shared area of two histograms on common equal-width bins; 1 for the same distribution, 0 for disjoint ones."""
    edges = histogram_edges(np.concatenate([first_N, second_M]), bins)
    first, second = (np.histogram(side, edges)[0] / side.size for side in (first_N, second_M))
    return float(np.minimum(first, second).sum())


def placements(first_N: Array, second_M: Array) -> Array:
    """Share of `second` below each of `first`, ties half; the mean is the AUC (Mann-Whitney); shape (N,)."""
    ordered = np.sort(second_M)
    # Left counts those strictly below, right those up to and equal: half of both is ties counted half.
    below, upto = np.searchsorted(ordered, first_N, "left"), np.searchsorted(ordered, first_N, "right")
    return np.asarray((below + upto) / (2 * ordered.size))


def histogram_edges(values: Array, bins: int = BINS) -> Array:
    """Equal-width edges over all values; a single value gets a unit-wide bin around it."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _rows(aligned: Aligned) -> range:
    return range(len(aligned.seeds))


def _sides(aligned: Aligned, row: int) -> tuple[Array, Array]:
    usable = aligned.finite[row]
    return aligned.chosen[row][usable], aligned.rejected[row][usable]


def _described(
    name: str,
    aligned: Aligned,
    by_seed: list[float],
    *,
    interval: Interval | Unknown = DESCRIBES,
    detail: Detail | None = None,
) -> Finding:
    """A figure about these rewards: its mean over seeds, and each seed's own."""
    per_seed = {str(seed): value for seed, value in zip(aligned.seeds, by_seed, strict=True)}
    detail = {"per_seed": per_seed, **(detail or {})}
    return measured(MEANINGS[name], float(np.mean(by_seed)), n=aligned.n, interval=interval, detail=detail)


def _mean(aligned: Aligned, both: list[Array], *, level: float) -> Finding:
    usable = aligned.finite.all(axis=0)
    middle = ((aligned.chosen + aligned.rejected) / 2)[:, usable].mean(axis=0)
    return _described(
        "reward_mean",
        aligned,
        [float(row.mean()) for row in both],
        interval=cluster_t(middle, aligned.groups[usable], level=level),
        detail=_by_side(aligned, np.mean),
    )


def _by_side(aligned: Aligned, figure: Callable[[Array], np.floating]) -> dict[str, float]:
    sides = [_sides(aligned, row) for row in _rows(aligned)]
    return {
        "chosen": float(np.mean([figure(chosen) for chosen, _ in sides])),
        "rejected": float(np.mean([figure(rejected) for _, rejected in sides])),
    }


def _degenerate(aligned: Aligned, row: int, seed: int) -> Finding:
    if aligned.n < 2:
        return unknown(MEANINGS["degenerate"], "one pair has no distribution", n=aligned.n, seed=seed)
    problems = name_problems(aligned.chosen[row], aligned.rejected[row])
    verdict: Judgement = "problem" if problems else "ok"
    return measured(
        MEANINGS["degenerate"],
        len(problems),
        n=aligned.n,
        interval=DESCRIBES,
        seed=seed,
        verdict=verdict,
        detail={"problems": problems},
    )


def _over_seeds(aligned: Aligned, per_seed: list[Finding]) -> Finding:
    """One degenerate seed makes the recipe degenerate."""
    if any(finding.known is None for finding in per_seed):
        return unknown(MEANINGS["degenerate"], "one pair has no distribution", n=aligned.n)
    problems = {name: text for finding in per_seed for name, text in finding.detail["problems"].items()}
    bad = [finding.seed for finding in per_seed if finding.verdict == "problem"]
    verdict: Judgement = "problem" if problems else "ok"
    detail = {"problems": problems, "seeds": bad}
    return measured(
        MEANINGS["degenerate"], len(problems), n=aligned.n, interval=DESCRIBES, verdict=verdict, detail=detail
    )


def _overlap(aligned: Aligned) -> Finding:
    return _described("overlap", aligned, [overlap_coefficient(*_sides(aligned, row)) for row in _rows(aligned)])


def _separation(aligned: Aligned, *, level: float) -> Finding:
    """AUC over all prompts; its interval from each pair's two placements (DeLong), clustered by prompt group."""
    usable = aligned.finite.all(axis=0)
    if not usable.any():
        return unknown(MEANINGS["separation"], "no pair has finite rewards with every seed", n=aligned.n)
    by_seed, pulls = [], []
    for chosen, rejected in zip(aligned.chosen[:, usable], aligned.rejected[:, usable], strict=True):
        up, down = placements(chosen, rejected), 1 - placements(rejected, chosen)
        by_seed.append(float(up.mean()))
        # Both placements have the AUC as their mean: their sum less one AUC is a pair's pull on it, and centred on it.
        pulls.append(up + down - up.mean())
    interval = cluster_logit_t(np.mean(pulls, axis=0), aligned.groups[usable], level=level)
    per_seed = {str(seed): value for seed, value in zip(aligned.seeds, by_seed, strict=True)}
    detail = {"per_seed": per_seed}
    return measured(
        MEANINGS["separation"], float(np.mean(by_seed)), n=int(usable.sum()), interval=interval, detail=detail
    )
