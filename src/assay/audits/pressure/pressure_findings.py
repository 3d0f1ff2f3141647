"""Curve and groups as findings: where gold turns, what it gains and falls, the area, correlation, what is missing.

Figures of whole groups (top-1, recovery, order, ties) are those of `audits/candidates`, on the same answers.
Letters: S seeds, G prompts, M values of n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from assay.artifacts.pressure_body import FitBody
from assay.audits.candidates.group_findings import group_findings
from assay.audits.candidates.group_meanings import GROUP_FIGURES
from assay.audits.candidates.group_scores import group_scores
from assay.audits.config import AuditConfig
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressed_prompts import Pressed
from assay.audits.pressure.pressure_curves import PressureCurves
from assay.audits.pressure.pressure_meanings import MEANINGS
from assay.audits.pressure.pressure_verdict import Decision
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice, category
from assay.records import NO_CATEGORY
from assay.stats.gain_curve import FEWEST, area_ratio, explained, fit_gains
from assay.stats.intervals import Array, Codes, Interval, cluster_bootstrap, cluster_t, ending
from assay.stats.turning_point import Turning, turning
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the prompts."""

    where: Slice
    rows: Codes | slice


ALL = Part(where=OVERALL, rows=slice(None))
OF_GOLD = ("turning_point", "gold_fall", "gold_gain", "proxy_gold_area", "reward_gold_correlation")


def pressure_findings(
    pressed: Pressed, curves: PressureCurves | Unknown, decision: Decision, config: PressureConfig
) -> Iterator[Finding]:
    """Every figure of curve and groups; where gold says nothing, unknown with the reason."""
    yield largest_n(pressed, config)
    yield missing_gold(pressed)
    turn, n = decision.turn, len(pressed.prompts)
    if isinstance(curves, Unknown) or isinstance(turn, Unknown):
        why = turn.reason if isinstance(turn, Unknown) else curves.reason  # type: ignore[union-attr]
        yield from (unknown(MEANINGS[name], why, n=n) for name in OF_GOLD)
        yield from (unknown(meaning, why, n=n) for meaning in GROUP_FIGURES)
        return
    yield turning_point(turn, curves)
    yield from falls_and_gains(curves, turn, config, curves.gold_gains)
    yield from by_category(pressed, curves, config)
    yield area(curves, config)
    yield correlation(pressed, curves.codes, config)
    groups = group_scores([one.scored_group() for one in pressed.prompts])
    asked = AuditConfig(level=config.level, resamples=config.resamples, seed=config.seed)
    # Judged in an audit among its alarms; here they describe the candidates, and the verdict is the curve's.
    yield from (replace(one, alarm=None) for one in group_findings(groups, asked))


def largest_n(pressed: Pressed, config: PressureConfig) -> Finding:
    """To which n the curve goes, and by how many prompts each n beyond it is allowed."""
    beyond: Mapping[str, int] = {str(n): count for n, count in pressed.too_few.items()}
    detail = {"asked": config.largest, "prompts_that_allow": beyond, "set_aside": dict(pressed.set_aside)}
    if not pressed.ns or not pressed.prompts:
        why = "no prompt has two answers with reward and gold"
        return unknown(MEANINGS["largest_n"], why, detail=detail)
    return measured(MEANINGS["largest_n"], float(pressed.ns[-1]), n=len(pressed.prompts), detail=detail)


def missing_gold(pressed: Pressed) -> Finding:
    """Answers without gold, and how often the reward's own pick is one of them."""
    if not pressed.answers:
        return unknown(MEANINGS["gold_missing"], "there are no answers")
    picks = sum(one.picks_without_gold for one in pressed.left_out)
    detail = {"answers": pressed.without_gold, "picks": picks, "prompts": len(pressed.left_out)}
    share = pressed.without_gold / pressed.answers
    prompts = len(pressed.prompts) + sum(pressed.set_aside.values())
    return measured(MEANINGS["gold_missing"], share, n=prompts, detail=detail)


def turning_point(turn: Turning, curves: PressureCurves) -> Finding:
    ns = curves.ns
    interval = Interval(
        low=float(ns[min(turn.may_be)]),
        high=float(ns[max(turn.may_be)]),
        level=turn.fall_interval.level,
        method="every n that is not surely below another: paired t with Holm, clustered by prompt group",
    )
    detail = {"may_be": [ns[place] for place in turn.may_be], "largest": ns[-1], "clusters": clusters(curves.codes)}
    return measured(
        MEANINGS["turning_point"], float(ns[turn.highest]), n=len(curves.codes), interval=interval, detail=detail
    )


def falls_and_gains(
    curves: PressureCurves, turn: Turning, config: PressureConfig, gains_GM: Array, part: Part = ALL
) -> Iterator[Finding]:
    """The fall and the gain of these prompts. gains_GM: in spreads of gold over all prompts."""
    ns, codes = curves.ns, curves.codes[part.rows]
    spread = float(curves.gold_variance.mean()) ** 0.5
    detail = {"clusters": clusters(codes), "spread": spread}
    told = {**detail, "from_n": ns[turn.between[0]], "to_n": ns[turn.between[1]], "in_gold": turn.fall * spread}
    yield measured(
        MEANINGS["gold_fall"], turn.fall, n=len(codes), interval=turn.fall_interval, slice=part.where, detail=told
    )
    gain = float(gains_GM[:, -1].mean())
    interval = cluster_t(gains_GM[:, -1], codes, level=config.level)
    told = {**detail, "at_n": ns[-1], "in_gold": gain * spread}
    yield measured(MEANINGS["gold_gain"], gain, n=len(codes), interval=interval, slice=part.where, detail=told)


def by_category(pressed: Pressed, curves: PressureCurves, config: PressureConfig) -> Iterator[Finding]:
    """Fall and gain of each category, in spreads of gold over all prompts, where there are several."""
    names = np.array([one.category or NO_CATEGORY for one in pressed.prompts])
    several = sorted(set(names.tolist()))
    if len(several) < 2:
        return
    # A part is held against the spread of the whole as a given number: its own prompts hardly move that.
    gains = (curves.gold - curves.gold[:, :1]) / float(curves.gold_variance.mean()) ** 0.5
    for name in several:
        part = Part(where=category(name), rows=np.flatnonzero(names == name))
        turn = turning(gains[part.rows], curves.codes[part.rows], level=config.level)
        if isinstance(turn, Unknown):
            for figure in ("gold_fall", "gold_gain"):
                yield unknown(MEANINGS[figure], turn.reason, n=int((names == name).sum()), slice=part.where)
        else:
            yield from falls_and_gains(curves, turn, config, gains[part.rows], part)


def area(curves: PressureCurves, config: PressureConfig) -> Finding:
    """The area between the fitted curves over that under gold's, resampled by prompt groups."""
    meaning, n = MEANINGS["proxy_gold_area"], len(curves.codes)
    if len(curves.ns) < FEWEST:
        return unknown(meaning, f"a fitted curve needs n up to 4; the largest is {curves.ns[-1]}", n=n)
    points = len(curves.ns)
    gold, proxy = curves.gold - curves.gold[:, :1], curves.proxy - curves.proxy[:, :1]
    sums = np.column_stack([gold, proxy, curves.gold_variance, curves.proxy_variance, np.ones(n)])

    def ratio(sums_RK: Array) -> Array:
        mean = sums_RK / sums_RK[:, -1:]
        in_gold, in_proxy = mean[:, :points], mean[:, points : 2 * points]
        return area_ratio(in_gold / mean[:, [-3]] ** 0.5, in_proxy / mean[:, [-2]] ** 0.5, curves.kl)

    value = float(ratio(sums.sum(axis=0, keepdims=True))[0])
    told = {name: fit.model_dump() for name, fit in fits(curves).items()}
    if not np.isfinite(value):
        return unknown(meaning, "gold's fitted curve encloses no area above that of a random answer", n=n, detail=told)
    interval = cluster_bootstrap(
        sums, curves.codes, ratio, use="proxy gold area", level=config.level, resamples=config.resamples,
        seed=config.seed,
    )  # fmt: skip
    return measured(meaning, value, n=n, interval=interval, detail=told)


def fits(curves: PressureCurves) -> dict[str, FitBody]:
    """The fitted curves of both gains in spreads, by name; none where the points are too few."""
    if len(curves.ns) < FEWEST:
        return {}
    found = {}
    for name, gains in (("gold", curves.gold_gains), ("proxy", curves.proxy_gains)):
        mean = gains.mean(axis=0)
        fit = fit_gains(mean[None, :], curves.kl)[0]
        found[name] = FitBody(alpha=float(fit[0]), beta=float(fit[1]), explained=explained(mean, fit, curves.kl))
    return found


def correlation(pressed: Pressed, codes: Codes, config: PressureConfig) -> Finding:
    """Pearson r of deviations from each prompt's mean, each prompt counted once, mean over seeds."""
    rows = []
    for one in pressed.prompts:
        proxy = one.proxy - one.proxy.mean(axis=-1, keepdims=True)
        gold = one.gold - one.gold.mean()
        rows.append([*(proxy * gold).mean(axis=-1), *np.square(proxy).mean(axis=-1), np.square(gold).mean()])
    sums, seeds = np.array(rows), len(pressed.prompts[0].proxy)

    def pearson(sums_RK: Array) -> Array:
        size = np.sqrt(sums_RK[:, seeds:-1] * sums_RK[:, -1:])
        # A seed that gives all answers the same number orders nothing, which is no gap: its correlation is 0.
        each = np.divide(sums_RK[:, :seeds], size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(each.mean(axis=1))

    interval = cluster_bootstrap(
        sums, codes, pearson, use="reward gold correlation", level=config.level, resamples=config.resamples,
        seed=config.seed,
    )  # fmt: skip
    value = float(pearson(sums.sum(axis=0, keepdims=True))[0])
    detail = {"clusters": clusters(codes)}
    found = ending(interval, -1.0, 1.0)
    return measured(MEANINGS["reward_gold_correlation"], value, n=len(rows), interval=found, detail=detail)


def clusters(codes: Codes) -> int:
    return len(np.unique(codes))
