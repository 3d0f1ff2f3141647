"""What the reward owes to length. Knows rewards, lengths and groups; knows no text.

Differences within a pair have no natural sign (which answer comes first is the label), so correlations and fits here go
through the origin: swapping the two answers of any pair changes nothing.
"""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy import stats as scipy_stats

from assay.audits.config import AuditConfig
from assay.audits.pairs.accuracy import ABOVE_A_COIN, evidence_detail
from assay.audits.pairs.alarm_rules import Floor, mean_alarm, share_alarm
from assay.audits.pairs.length_shapes import length_shapes, normal_scores
from assay.audits.pairs.length_taken_out import taken_out
from assay.audits.pairs.pair_meanings import MEANINGS
from assay.audits.scores_table import Aligned, Mask
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.intervals import (
    Array,
    Interval,
    cluster_bootstrap,
    cluster_mean,
    cluster_skew_t,
    cluster_wilson,
    ending,
    wilson_of,
)
from assay.stats.logistic import fit_logistic
from assay.stats.unknown import Unknown

# Judgements, not laws. Above two thirds length explains nearly half of the reward differences; where people like length
# a right reward follows it as well, up to there. What it owes to length beyond people's taste is `length_overuse`.
STRONG_CORRELATION = 2 / 3
# On pairs where people preferred the shorter (or the longer) answer no sound reward is worse than a coin.
NO_WORSE_THAN_A_COIN = Floor(tolerated=0.5, matters=0.4, strength="problem")
GAIN = Floor(tolerated=0.01, matters=0.0, strength="problem")  # nats a pair; a reward right on 57% has it
# Keeps the fit finite when rewards order every pair rightly. At 1e-4 it bent the fit of a reward right on 95% as well,
# the error of its slope showed in the gain, and the interval held 92%.
RIDGE = 1e-6


def length_findings(aligned: Aligned, *, config: AuditConfig) -> list[Finding]:
    return [
        *_matched(aligned, config=config),
        *_by_preferred_length(aligned, level=config.level),
        _correlation(aligned, config=config),
        _without_length(aligned, level=config.level),
        _gain(aligned, level=config.level),
    ]


def matched(length: Array, tolerance: float) -> Mask:
    """Pairs whose lengths differ by at most `tolerance` of the longer one; (N, 2) -> (N,)."""
    return np.asarray(np.abs(length[:, 0] - length[:, 1]) <= tolerance * length.max(axis=1))


def _part(
    aligned: Aligned, name: str, mask: Mask, missing: str, *, level: float, floor: Floor | None, where: Slice = OVERALL
) -> Finding:
    """Accuracy on a part of the pairs; described only where there is no floor to it."""
    if not mask.any():
        return unknown(MEANINGS[name], missing, n=0, slice=where)
    values, groups = aligned.correct.mean(axis=0)[mask], aligned.groups[mask]
    interval = cluster_wilson(values, groups, level=level)
    return measured(
        MEANINGS[name],
        float(values.mean()),
        n=int(mask.sum()),
        interval=interval,
        slice=where,
        alarm=share_alarm(cluster_mean(values, groups), floor) if floor is not None else None,
        detail=evidence_detail(values, groups) | {"share_of_pairs": float(mask.mean())},
    )


def _matched(aligned: Aligned, *, config: AuditConfig) -> list[Finding]:
    close = matched(aligned.length, config.length_tolerance)
    reason = f"no pair has answers within {config.length_tolerance:.0%} of each other's length"
    # Of a category there are seldom more than a few dozen such pairs: shown, and judged over all categories together.
    return [
        _part(
            aligned,
            "length_matched_accuracy",
            close & mask,
            reason,
            level=config.level,
            floor=ABOVE_A_COIN if where == OVERALL else None,
            where=where,
        )
        for where, mask in aligned.slices()
    ]


def _by_preferred_length(aligned: Aligned, *, level: float) -> list[Finding]:
    difference = aligned.length_difference
    return [
        _part(aligned, name, mask, f"no {word} answer is preferred", level=level, floor=NO_WORSE_THAN_A_COIN)
        for name, word, mask in (
            ("accuracy_shorter_preferred", "shorter", difference < 0),
            ("accuracy_longer_preferred", "longer", difference > 0),
        )
    ]


def _correlation(aligned: Aligned, *, config: AuditConfig) -> Finding:
    """Mean over seeds of the within-pair Pearson correlation; the pooled and the rank ones stand in detail."""
    name = "reward_length_correlation"
    usable: Mask = np.asarray(aligned.finite.all(axis=0))
    difference = aligned.length_difference[usable]
    margin = aligned.margin[:, usable]
    if not (difference != 0).any():
        return unknown(MEANINGS[name], "both answers are equally long in every pair", n=int(usable.sum()))
    if not (margin != 0).any(axis=1).all():
        return unknown(MEANINGS[name], "the reward is the same for both answers of every pair", n=int(usable.sum()))
    by_seed = [through_origin(row, difference) for row in margin]
    scaled = margin / np.abs(margin).max(axis=1, keepdims=True)  # keeps the sums of squares in range
    length = difference / np.abs(difference).max()
    sums = np.column_stack([length**2, *(scaled * length), *(scaled**2)])
    seeds = len(aligned.seeds)

    def statistic(sums_RK: Array) -> Array:
        products, squares = sums_RK[:, 1 : 1 + seeds], sums_RK[:, 1 + seeds :]
        return np.asarray((products / np.sqrt(squares * sums_RK[:, :1])).mean(axis=1))

    interval = cluster_bootstrap(
        sums,
        aligned.groups[usable],
        statistic,
        use=name,
        level=config.level,
        resamples=config.resamples,
        seed=config.seed,
    )
    interval = ending(interval, -1.0, 1.0)
    detail = {
        "per_seed": {str(seed): value for seed, value in zip(aligned.seeds, by_seed, strict=True)},
        "spearman": float(np.mean([ranked_through_origin(row, difference) for row in margin])),
        **_pooled(aligned, usable),
        "preference_and_length": through_origin(np.ones(difference.size), np.sign(difference)),
    }
    value = float(np.mean(by_seed))
    alarm = correlation_alarm(value, interval)
    return measured(MEANINGS[name], value, n=int(usable.sum()), interval=interval, alarm=alarm, detail=detail)


def correlation_alarm(value: float, interval: Interval | Unknown) -> Alarm | None:
    """Beyond two thirds on either side, on Fisher's scale, the error read from the interval's inner half."""
    if isinstance(interval, Unknown):
        return None
    size, inner = abs(value), interval.low if value > 0 else -interval.high
    if size >= 1 - 1e-9:
        return Alarm(p=0.0, strength="problem", power=1.0)
    reach = float(np.arctanh(size) - np.arctanh(min(max(inner, -1 + 1e-9), size)))
    error = max(reach, 1e-9) / float(special.ndtri(0.5 + interval.level / 2))
    floor = Floor(tolerated=-float(np.arctanh(STRONG_CORRELATION)), matters=-float(np.arctanh(0.9)), strength="problem")
    return mean_alarm(-float(np.arctanh(size)), error, 1e6, floor)


def through_origin(first_N: Array, second_N: Array) -> float:
    """Correlation of two signed differences, sum(ab) / sqrt(sum(aa) sum(bb)): Pearson over both orders of each pair."""
    scale = float(np.sqrt((first_N**2).sum() * (second_N**2).sum()))
    return float((first_N * second_N).sum() / scale) if scale > 0 else float("nan")


def ranked_through_origin(first_N: Array, second_N: Array) -> float:
    """The same on ranks: Spearman over both orders of each pair."""
    return float(scipy_stats.spearmanr(np.r_[first_N, -first_N], np.r_[second_N, -second_N]).statistic)


def _pooled(aligned: Aligned, usable: Mask) -> dict[str, float | None]:
    """Correlation over all answers, prompts mixed; mean over seeds, None where rewards or lengths are all the same."""
    length = aligned.length[usable].T.ravel()
    rewards = np.concatenate([aligned.chosen[:, usable], aligned.rejected[:, usable]], axis=1)
    if np.ptp(length) == 0 or (np.ptp(rewards, axis=1) == 0).any():
        return {"pooled_pearson": None, "pooled_spearman": None}
    return {
        "pooled_pearson": float(np.mean([scipy_stats.pearsonr(row, length).statistic for row in rewards])),
        "pooled_spearman": float(np.mean([scipy_stats.spearmanr(row, length).statistic for row in rewards])),
    }


def length_features(length: Array) -> Array:
    """Differences in characters and in log characters, each scaled; odd under swapping the answers; (N, 2)."""
    both = np.column_stack([length[:, 0] - length[:, 1], np.log1p(length[:, 0]) - np.log1p(length[:, 1])])
    scale = np.sqrt((both**2).mean(axis=0))
    return np.asarray(both / np.where(scale > 0, scale, 1.0))


def _without_length(aligned: Aligned, *, level: float) -> Finding:
    name, usable = "accuracy_without_length", aligned.finite.all(axis=0)
    if not usable.any():
        return unknown(MEANINGS[name], "no pair has finite rewards", n=0)
    # Normal scores of the rewards and not the rewards: any map that keeps their order keeps the figure.
    scored = [normal_scores(row) for row in np.stack([aligned.chosen[:, usable], aligned.rejected[:, usable]], axis=2)]
    margin = np.array([score[:, 0] - score[:, 1] for score in scored])
    found = taken_out(margin, length_shapes(aligned.length[usable]), aligned.groups[usable])
    detail = evidence_detail(found.correct, aligned.groups[usable]) | {"explained_by_length": found.explained}
    return measured(
        MEANINGS[name],
        float(found.correct.mean()),
        n=int(usable.sum()),
        interval=wilson_of(found.mean, level=level),
        alarm=share_alarm(found.mean, ABOVE_A_COIN),
        detail=detail,
    )


def _gain(aligned: Aligned, *, level: float) -> Finding:
    """Log-likelihood per pair of a fit on length and margin, less that of a fit on length alone."""
    name, usable = "gain_over_length", aligned.finite.all(axis=0)
    n = int(usable.sum())
    if n < 30:
        return unknown(MEANINGS[name], f"{n} pairs are too few to fit length and reward together (30 at least)", n=n)
    features = length_features(aligned.length[usable])
    # "Chosen wins" is true of every pair, and the features are odd: turning a pair round turns both.
    wins = np.ones(n)
    alone = fit_logistic(features, wins, ridge=RIDGE)
    if isinstance(alone, Unknown):
        return unknown(MEANINGS[name], alone.reason, n=n)
    ruler = alone.log_likelihood_N
    gains, weights = [], []
    for row in aligned.margin[:, usable]:
        scale = float(np.sqrt((row**2).mean())) or 1.0
        both = fit_logistic(np.column_stack([features, row / scale]), wins, ridge=RIDGE)
        if isinstance(both, Unknown):
            return unknown(MEANINGS[name], both.reason, n=n)
        gains.append(both.log_likelihood_N - ruler)
        weights.append(float(both.coefficients[-1]))
    values = np.mean(gains, axis=0)
    # One further coefficient buys half a nat of fit by luck alone; take it off.
    values -= 0.5 / n
    groups = aligned.groups[usable]
    interval = cluster_skew_t(values, groups, level=level)
    mean = cluster_mean(values, groups)
    alarm: Alarm | None = None
    if not isinstance(mean, Unknown) and mean.variance is not None:
        # Half of a chi-squared a nat: what a reward without a gain varies by, should the pairs say less.
        error = float(np.sqrt(max(mean.variance, 0.5 / n**2)))
        alarm = mean_alarm(mean.mean, error, mean.freedom, GAIN)
    detail = {
        "log_likelihood_length": float(ruler.mean()),
        "log_odds_per_sd_of_margin_at_equal_length": float(np.mean(weights)),
    }
    return measured(MEANINGS[name], float(values.mean()), n=n, interval=interval, alarm=alarm, detail=detail)
