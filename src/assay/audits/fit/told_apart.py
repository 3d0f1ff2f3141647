"""How far a reward spreads a policy's answers within prompts, and in how many prompts it cannot tell them apart.

Needs samples and no label. Equal texts get equal rewards, and that is the policy's doing: they count in the variance,
which is what the policy sees, and not among ties. Knows rewards and texts; knows no scorer.

Letters: G prompts, S raters (seeds, or members of an ensemble), N answers of a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_meanings import MEANINGS
from assay.findings.finding import Finding, measured, unknown
from assay.stats.intervals import (
    Array,
    Codes,
    Interval,
    cluster_bootstrap,
    cluster_codes,
    cluster_score,
    cluster_skew_t,
    ending,
)
from assay.stats.unknown import Unknown

EQUAL = 1e-6  # of the larger reward: float32 keeps seven digits, and what differs in the last is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPrompt:
    """One prompt with its answers that every rater scored. rewards (S, N): by seed, of the scorer that is judged.

    raters (R, N): where they are others than the seeds, the members of an ensemble; None where the seeds are all there
    are.
    """

    texts: Sequence[str]
    cluster: str
    category: str | None
    rewards: Array
    raters: Array | None = None


def told_apart(prompts: Sequence[SampledPrompt], config: FitConfig) -> Iterator[Finding]:
    """Spread, its share of the whole, prompts that are not told apart, ties."""
    usable = [one for one in prompts if one.rewards.shape[1] > 1]
    if not usable:
        for name in ("reward_spread", "reward_spread_share", "cannot_tell_apart", "sample_ties"):
            yield unknown(MEANINGS[name], "no prompt has two answers with a reward")
        return
    codes = cluster_codes([one.cluster for one in usable])
    yield from spreads(usable, codes, config)
    yield from ties(usable, config)


def spreads(prompts: Sequence[SampledPrompt], codes: Codes, config: FitConfig) -> Iterator[Finding]:
    """Root of the mean variance within prompts, and its share of the whole variance."""
    variance_GS = np.array([within(one.rewards) for one in prompts])
    found = cluster_skew_t(variance_GS.mean(axis=1), codes, level=config.level)
    interval: Interval | Unknown = found
    if isinstance(found, Interval):
        held = ending(found, 0.0, math.inf)
        assert isinstance(held, Interval)
        interval = Interval(low=held.low**0.5, high=held.high**0.5, level=held.level, method=found.method)
    value = float(variance_GS.mean()) ** 0.5
    seeds = [float(mean) ** 0.5 for mean in variance_GS.mean(axis=0)]
    detail = {"variance": value**2, "seeds": seeds, "clusters": int(codes.max()) + 1}
    yield measured(MEANINGS["reward_spread"], value, n=len(prompts), interval=interval, detail=detail)
    yield share_within(prompts, variance_GS, codes, config)


def share_within(prompts: Sequence[SampledPrompt], variance_GS: Array, codes: Codes, config: FitConfig) -> Finding:
    """Variance within prompts over within and between; of several seeds the mean, each on its own scale."""
    meaning, count, seeds = MEANINGS["reward_spread_share"], len(prompts), variance_GS.shape[1]
    if count < 2:
        return unknown(meaning, "one prompt only, so nothing is known of prompts", n=count)
    means_GS = np.array([one.rewards.mean(axis=1) for one in prompts])
    means_GS = means_GS - means_GS.mean(axis=0)  # squares of large rewards would lose the digits that matter
    size_G = np.array([one.rewards.shape[1] for one in prompts], dtype=np.float64)
    sums = np.column_stack([np.ones(count), variance_GS, variance_GS / size_G[:, None], means_GS, np.square(means_GS)])

    def statistic(sums_RK: Array) -> Array:
        total = sums_RK[:, :1]
        inner, noise, mean, square = (sums_RK[:, 1 + k * seeds : 1 + (k + 1) * seeds] / total for k in range(4))
        # The means of prompts vary by their few answers as well; only what is beyond that lies between prompts.
        between = np.maximum((square - mean**2) * total / np.maximum(total - 1, 1) - noise, 0.0)
        whole = inner + between
        return np.asarray(np.where(whole > 0, inner / np.where(whole > 0, whole, 1.0), np.nan).mean(axis=1))

    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    if not math.isfinite(value):
        return unknown(meaning, "all rewards are the same", n=count)
    interval = cluster_bootstrap(
        sums, codes, statistic, use="fit: variance within", level=config.level, resamples=config.resamples,
        seed=config.seed,
    )  # fmt: skip
    detail = {"clusters": int(codes.max()) + 1}
    return measured(meaning, value, n=count, interval=ending(interval, 0.0, 1.0), detail=detail)


def ties(prompts: Sequence[SampledPrompt], config: FitConfig) -> Iterator[Finding]:
    """Prompts that are not told apart, and couples of different answers with one reward."""
    different = [one for one in map(without_repeats, prompts) if one.rewards.shape[1] > 1]
    if not different:
        for name in ("cannot_tell_apart", "sample_ties"):
            yield unknown(MEANINGS[name], "the policy gave every prompt one answer only", n=len(prompts))
        return
    codes = cluster_codes([one.cluster for one in different])
    several = raters_of(different[0]).shape[0]
    equal = np.array([all_equal(one.rewards).mean() for one in different])
    noisy = np.zeros(len(different)) if several < 2 else below_noise(different)
    blind = np.maximum(equal, noisy)
    interval, _ = cluster_score(blind, codes, level=config.level)
    detail: dict[str, object] = {
        "all_equal": float(equal.mean()),
        "below_noise": float(noisy.mean()) if several > 1 else None,
        "raters": several,
        "one_answer": len(prompts) - len(different),
        "clusters": int(codes.max()) + 1,
    }
    yield measured(
        MEANINGS["cannot_tell_apart"], float(blind.mean()), n=len(different), interval=interval, detail=detail
    )
    tied = np.array([tied_couples(one.rewards) for one in different])
    interval, _ = cluster_score(tied, codes, level=config.level)
    yield measured(
        MEANINGS["sample_ties"], float(tied.mean()), n=len(different), interval=interval,
        detail={"clusters": int(codes.max()) + 1},
    )  # fmt: skip


def within(rewards_SN: Array) -> Array:
    """Variance among the answers, exactly 0 where all are the same, (S,)."""
    return np.asarray(np.where(np.ptp(rewards_SN, axis=1) == 0, 0.0, rewards_SN.var(axis=1, ddof=1)))


def without_repeats(one: SampledPrompt) -> SampledPrompt:
    """The prompt with each text once."""
    places = list({text: place for place, text in reversed(list(enumerate(one.texts)))}.values())[::-1]
    if len(places) == len(one.texts):
        return one
    return SampledPrompt(
        texts=[one.texts[place] for place in places],
        cluster=one.cluster,
        category=one.category,
        rewards=one.rewards[:, places],
        raters=None if one.raters is None else one.raters[:, places],
    )


def raters_of(one: SampledPrompt) -> Array:
    return one.rewards if one.raters is None else one.raters


def all_equal(rewards_SN: Array) -> Array:
    """1 for each rater whose rewards are all the same up to rounding, (S,)."""
    size = np.abs(rewards_SN).max(axis=1)
    return np.asarray((np.ptp(rewards_SN, axis=1) <= EQUAL * size).astype(np.float64))


def tied_couples(rewards_SN: Array) -> float:
    """Share of couples of answers whose rewards are the same up to rounding, mean over raters."""
    ordered = np.sort(rewards_SN, axis=1)
    count, found = ordered.shape[1], []
    for row in ordered:
        # Neighbours in order that are not apart make a run; couples are counted within runs.
        apart = np.diff(row) > EQUAL * np.abs(row).max()
        runs = np.bincount(np.concatenate([[0], np.cumsum(apart)]))
        found.append(float((runs * (runs - 1)).sum()) / (count * (count - 1)))
    return float(np.mean(found))


def below_noise(prompts: Sequence[SampledPrompt]) -> Array:
    """1 for each prompt in which what the raters agree on varies less than what they differ by, else 0, (G,).

    Two-way analysis of variance of answers and raters, each rater on its own scale: the variance of answers, freed of
    noise, below the variance of one rater about it; that is a reliability of one rater below one half (ICC(3,1) of
    Shrout & Fleiss 1979).
    """
    scale_S = np.sqrt(np.mean([within(raters_of(one)) for one in prompts], axis=0))
    scale_S = np.where(scale_S > 0, scale_S, 1.0)
    found = []
    for one in prompts:
        scored = raters_of(one) / scale_S[:, None]
        scored = scored - scored.mean(axis=1, keepdims=True)
        raters, answers = scored.shape
        agreed = scored.mean(axis=0)
        of_answers = raters * float(np.square(agreed).sum()) / (answers - 1)
        noise = float(np.square(scored - agreed).sum()) / ((raters - 1) * (answers - 1))
        found.append((of_answers - noise) / raters < noise)
    return np.array(found, dtype=np.float64)
