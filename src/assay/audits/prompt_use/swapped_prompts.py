"""Answers under another pair's prompt: how far accuracy falls, and what of the rewards prompt and answer explain.

A reward that does not read the prompt is found by two signs together: accuracy does not fall, and answers are not
rewarded more under their own prompts. The first alone could be data whose answers give the label away.
Shapes: S seeds, M pairs with a partner, C couples of them.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy import stats as scipy_stats

from assay.audits.part import Found, Given
from assay.audits.prompt_use.prompt_meanings import (
    BY_ANSWER,
    BY_BOTH,
    BY_PROMPT,
    FROM_PROMPT,
    OWN_PROMPT,
    SWAPPED,
)
from assay.audits.rescored import Swapped
from assay.audits.scores_table import Aligned
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.stats.intervals import Array, Codes, Interval, cluster_bootstrap, cluster_difference, cluster_wilson, ending
from assay.stats.one_sided import FAMILY_ALPHA, effective_size, p_difference_below, power_of_share
from assay.stats.unknown import Unknown

GIVEN = (SWAPPED, FROM_PROMPT, OWN_PROMPT, BY_PROMPT, BY_ANSWER, BY_BOTH)
FALL, OWN = 0.05, 0.65  # a reward that reads the prompt loses more than this, and prefers own prompts more often


def swapped_prompts(given: Given) -> Found:
    """The figures of GIVEN, where answers were scored under other prompts; nothing where nobody asked."""
    rescored = given.rescored
    if rescored is None or (rescored.swapped is None and not rescored.why_not):
        return Found(findings=[])
    if rescored.swapped is None:
        return Found(findings=[unknown(meaning, rescored.why_not) for meaning in GIVEN])
    here, chosen, rejected = _usable(given.aligned, rescored.swapped)
    if here.size < 2:
        reason = "no two pairs of one category and different prompts have all rewards under each other's prompt"
        return Found(findings=[unknown(meaning, reason) for meaning in GIVEN])
    return Found(
        findings=[
            *_falls(given, here, (chosen > rejected).astype(np.float64), left_out=given.aligned.n - here.size),
            *_own_prompt(given, here, chosen, rejected),
        ]
    )


def _usable(aligned: Aligned, swapped: Swapped) -> tuple[Codes, Array, Array]:
    """Places of the pairs whose rewards, and their partners', are all finite (M,); their swapped rewards (S, M) each.

    In couples: the second half are the partners of the first half, in order.
    """
    place = {pair.id: number for number, pair in enumerate(aligned.pairs)}
    at = {name: number for number, name in enumerate(swapped.pair_ids)}
    finite = np.asarray(np.isfinite(swapped.chosen).all(axis=0) & np.isfinite(swapped.rejected).all(axis=0))
    whole = np.asarray(aligned.finite.all(axis=0))

    def there(name: str) -> bool:
        return name in place and name in at and bool(finite[at[name]]) and bool(whole[place[name]])

    couples = [
        (first, second)
        for first, second in zip(swapped.pair_ids, swapped.partners, strict=True)
        if at[first] < at.get(second, -1) and there(first) and there(second)
    ]
    names = [first for first, _ in couples] + [second for _, second in couples]
    column = np.array([at[name] for name in names], dtype=np.intp)
    return (
        np.array([place[name] for name in names], dtype=np.intp),
        swapped.chosen[:, column],
        swapped.rejected[:, column],
    )


def _falls(given: Given, here: Codes, right_SM: Array, *, left_out: int) -> list[Finding]:
    """Accuracy under the other prompt, and how much lower it is than under the own one."""
    aligned, level = given.aligned, given.config.level
    groups, n = aligned.groups[here], int(here.size)
    own, other = aligned.correct[:, here].mean(axis=0), right_SM.astype(np.float64).mean(axis=0)
    return [
        measured(
            SWAPPED,
            float(other.mean()),
            n=n,
            interval=cluster_wilson(other, groups, level=level),
            detail={"accuracy": float(own.mean()), "pairs_not_swapped": left_out},
        ),
        measured(
            FROM_PROMPT,
            float((own - other).mean()),
            n=n,
            interval=cluster_difference(own, other, groups, level=level),
            detail={"tolerated": FALL, "clusters": len(set(groups.tolist()))},
        ),
    ]


def _own_prompt(given: Given, here: Codes, chosen: Array, rejected: Array) -> list[Finding]:
    """Whether own prompts are preferred, with the alarm; then the shares of variance."""
    aligned, level = given.aligned, given.config.level
    half = here.size // 2
    # Couples: rewards under the own prompt less under the other, of both preferred answers together. What a prompt adds
    # to all its answers, and an answer has under all prompts, is on both sides and cancels.
    gain_SM = aligned.chosen[:, here] - chosen
    gain_SC = gain_SM[:, :half] + gain_SM[:, half:]
    scale = np.abs(aligned.chosen[:, here]).max(axis=1, keepdims=True) + np.abs(chosen).max(axis=1, keepdims=True)
    preferred = (0.5 + 0.5 * np.sign(np.where(np.abs(gain_SC) <= 1e-6 * scale, 0.0, gain_SC))).mean(axis=0)
    groups = aligned.groups[here[:half]]
    fall_M = aligned.correct[:, here].mean(axis=0) - (chosen > rejected).mean(axis=0)
    return [
        measured(
            OWN_PROMPT,
            float(preferred.mean()),
            n=half,
            interval=cluster_wilson(preferred, groups, level=level),
            detail={"tolerated": OWN, "clusters": len(set(groups.tolist()))},
            alarm=_ignored(fall_M, aligned.groups[here], preferred, groups),
        ),
        *_explained(given, _under_both_prompts(aligned, here, chosen, rejected), groups),
    ]


def _ignored(fall_M: Array, groups_M: Codes, preferred_C: Array, groups_C: Codes) -> Alarm | None:
    """The alarm that the prompt is not read: both signs must be there, so the weaker of them counts."""
    fall = p_difference_below(fall_M, groups_M, FALL)
    # As a difference of both prompts, in [-1, 1]: a reward that never reads the prompt ties every couple, which is far
    # stronger evidence than as many coins that fell evenly, and a binomial tail takes the one for the other.
    own = p_difference_below(2 * preferred_C - 1, groups_C, 2 * OWN - 1)
    if fall is None or own is None:
        return None
    error = math.sqrt(FALL * (1 - FALL) / fall_M.size)
    power = float(scipy_stats.norm.cdf(FALL / error - scipy_stats.norm.isf(FAMILY_ALPHA)))
    size = max(effective_size(preferred_C, groups_C), len(set(groups_C.tolist())))
    return Alarm(p=max(fall, own), strength="problem", power=min(power, power_of_share(0.5, OWN, size)))


def _under_both_prompts(aligned: Aligned, here: Codes, chosen: Array, rejected: Array) -> Array:
    """Rewards of each couple's four answers under its two prompts, (S, C, 2, 4)."""
    half = here.size // 2
    first, second = here[:half], here[half:]
    under_first = [aligned.chosen[:, first], aligned.rejected[:, first], chosen[:, half:], rejected[:, half:]]
    under_second = [chosen[:, :half], rejected[:, :half], aligned.chosen[:, second], aligned.rejected[:, second]]
    return np.stack([np.stack(under_first, axis=-1), np.stack(under_second, axis=-1)], axis=2)


def _explained(given: Given, table_SCPA: Array, groups_C: Codes) -> list[Finding]:
    """Variance components of two prompts by four answers within each couple, by their expected mean squares."""
    mean = table_SCPA.mean(axis=(2, 3), keepdims=True)
    by_prompt = table_SCPA.mean(axis=3, keepdims=True) - mean
    by_answer = table_SCPA.mean(axis=2, keepdims=True) - mean
    rest = table_SCPA - mean - by_prompt - by_answer
    # Mean squares on 1, 3 and 3 degrees of freedom; a seed with wide rewards must not outweigh the others.
    squares = np.stack(
        [4 * (by_prompt**2).sum(axis=(2, 3)), 2 * (by_answer**2).sum(axis=(2, 3)) / 3, (rest**2).sum(axis=(2, 3)) / 3],
        axis=-1,
    )
    total_S = squares.sum(axis=(1, 2))
    if not (total_S > 0).all():
        reason = "the reward is the same for all answers under all prompts"
        return [unknown(meaning, reason, n=len(groups_C)) for meaning in (BY_PROMPT, BY_ANSWER, BY_BOTH)]
    sums_CK = (squares / total_S[:, None, None]).mean(axis=0)

    def shares(sums_RK: Array) -> Array:
        both = sums_RK[:, 2]
        parts = np.stack(
            [np.maximum(sums_RK[:, 0] - both, 0) / 4, np.maximum(sums_RK[:, 1] - both, 0) / 2, both], axis=1
        )
        return np.asarray(parts / parts.sum(axis=1, keepdims=True))

    def share(place: int, sums_RK: Array) -> Array:
        return np.asarray(shares(sums_RK)[:, place])

    value = shares(sums_CK.sum(axis=0, keepdims=True))[0]
    found = []
    for place, meaning in enumerate((BY_PROMPT, BY_ANSWER, BY_BOTH)):
        interval = cluster_bootstrap(
            sums_CK,
            groups_C,
            partial(share, place),
            use=meaning.name,
            level=given.config.level,
            resamples=given.config.resamples,
            seed=given.config.seed,
        )
        interval = ending(interval, 0.0, 1.0)
        if isinstance(interval, Interval) and interval.low == interval.high:
            # A component of no size is cut off at 0 in every resample: that is no certainty.
            interval = Unknown("every resample puts it at the end of its range")
        found.append(measured(meaning, float(value[place]), n=len(groups_C), interval=interval))
    return found
