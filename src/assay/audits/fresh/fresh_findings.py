"""Labelled fresh pairs to findings: accuracy by people and judge, by people alone, its drop, what a judge saved.

Votes of programs are no votes of people: their figures stand under `judges=KIND`, and those of people are unknown then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.artifacts.fresh_body import Voters
from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.fresh_labels import Columns, LabelledPair, columns, right
from assay.audits.fresh.fresh_meanings import MEANINGS
from assay.audits.pairs.accuracy import evidence_detail
from assay.findings.finding import Finding, Judgement, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.independent_difference import independent_difference
from assay.stats.intervals import Interval, cluster_wilson
from assay.stats.powered_share import PoweredShare, powered_share
from assay.stats.unknown import Unknown

VOTERS = {"human": "people", "simulated": "simulated judges", "llm": "language models"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """Held-out accuracy of the same reward, or why it is not known."""

    value: float | Unknown
    interval: Interval | Unknown
    n: int = 0


def fresh_findings(
    pairs: Sequence[LabelledPair],
    static: Static,
    *,
    voters: Voters,
    min_agreement: float,
    config: FreshConfig,
    judge: bool = False,
) -> list[Finding]:
    """All figures of fresh pairs. voters: whose votes these are. judge: whether one was asked and may help."""
    table = columns(pairs, min_agreement=min_agreement)
    judge_N = table.judge if judge else np.full(len(pairs), np.nan)
    found = powered_share(table.label, table.decided, judge_N, table.groups, level=config.level, seed=config.seed)
    where = OVERALL if voters == "human" else Slice("judges", voters)
    findings = [_accuracy(found, table, where), _drop(found, static, where, config)]
    findings.append(_alone(found, where))
    if judge:
        findings += [_agreement(pairs, table, where, min_agreement=min_agreement, level=config.level)]
        findings.append(_saved(found, where))
    findings.append(_unsure(pairs, where, min_agreement=min_agreement))
    if voters != "human":
        why = f"only {VOTERS[voters]} judged, and they are no people"
        findings += [unknown(MEANINGS[name], why) for name in ("fresh_accuracy", "fresh_drop", "fresh_accuracy_alone")]
    return findings


def _accuracy(found: PoweredShare | Unknown, table: Columns, where: Slice) -> Finding:
    meaning = MEANINGS["fresh_accuracy"]
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, slice=where)
    sure = table.decided & np.isfinite(table.label)
    named = np.asarray(table.groups)[sure]
    detail: dict[str, object] = {
        "labelled": found.labelled, "undecided": found.labelled - found.decided, "pairs": found.items,
        "judge_weight": found.weight, "worth": found.worth, "judge_left_out": found.left_out,
    }  # fmt: skip
    if found.weight == 0:
        detail |= evidence_detail(table.label[sure], named)
    else:  # its width is not Wilson's, and how it shrinks is read off the interval
        detail["clusters"] = len(set(named.tolist()))
    return measured(meaning, found.share, n=found.decided, interval=found.interval, slice=where, detail=detail)


def _drop(found: PoweredShare | Unknown, static: Static, where: Slice, config: FreshConfig) -> Finding:
    """A problem where a drop beyond what is tolerated is shown, a warning where only some drop is."""
    meaning = MEANINGS["fresh_drop"]
    if isinstance(static.value, Unknown):
        return unknown(meaning, f"held-out accuracy is not known: {static.value.reason}", slice=where)
    if isinstance(static.interval, Unknown):
        return unknown(meaning, f"held-out accuracy has no interval: {static.interval.reason}", slice=where)
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, slice=where)
    value = static.value - found.share
    interval = independent_difference(static.value, static.interval, found.share, found.interval)
    verdict: Judgement = "ok"
    if interval.low > 0:
        verdict = "problem" if interval.low > config.tolerated else "warning"
    detail = {"held_out": static.value, "held_out_n": static.n, "fresh": found.share}
    return measured(meaning, value, n=found.decided, interval=interval, slice=where, verdict=verdict, detail=detail)


def _alone(found: PoweredShare | Unknown, where: Slice) -> Finding:
    meaning = MEANINGS["fresh_accuracy_alone"]
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, slice=where)
    return measured(meaning, found.alone_share, n=found.decided, interval=found.alone, slice=where)


def _agreement(
    pairs: Sequence[LabelledPair], table: Columns, where: Slice, *, min_agreement: float, level: float
) -> Finding:
    """Of the random sample only: on pairs chosen as unsure a judge may agree less than elsewhere."""
    meaning = MEANINGS["fresh_judge_agreement"]
    agreed, groups = [], []
    for pair in pairs:
        preferred = pair.tally.preferred(min_agreement) if pair.drawn and pair.tally is not None else None
        if preferred is not None and pair.judged:  # neither missing nor equal
            agreed.append(float((pair.judged > 0) == (preferred == "a")))
            groups.append(pair.group)
    if not agreed:
        return unknown(meaning, "there is no pair that both decided", slice=where)
    interval = cluster_wilson(agreed, groups, level=level)
    return measured(
        meaning, float(np.mean(agreed)), n=len(agreed), interval=interval, slice=where,
        detail=evidence_detail(np.array(agreed), np.array(groups)),
    )  # fmt: skip


def _saved(found: PoweredShare | Unknown, where: Slice) -> Finding:
    meaning = MEANINGS["votes_saved"]
    if isinstance(found, Unknown):
        return unknown(meaning, found.reason, slice=where)
    if found.left_out:
        return unknown(meaning, found.left_out, n=found.labelled, slice=where)
    saved = round((found.worth - 1) * found.labelled)
    detail = {"worth": found.worth, "weight": found.weight, "correlation": found.agreement}
    return measured(meaning, float(saved), n=found.labelled, slice=where, detail=detail)


def _unsure(pairs: Sequence[LabelledPair], where: Slice, *, min_agreement: float) -> Finding:
    meaning = MEANINGS["unsure_accuracy"]
    labels = [
        right(preferred, pair.margins)
        for pair in pairs
        if not pair.drawn and pair.tally is not None and (preferred := pair.tally.preferred(min_agreement)) is not None
    ]
    if not labels:
        return unknown(meaning, "people decided on no pair chosen as unsure", slice=where)
    return measured(meaning, float(np.mean(labels)), n=len(labels), slice=where)


def outcome_of(findings: Sequence[Finding], *, voters: Voters, config: FreshConfig) -> tuple[str, str]:
    """ "holds", "drops" or "undecided", and the sentence that says so."""
    where = OVERALL if voters == "human" else Slice("judges", voters)
    by_name = {one.name: one for one in findings if one.slice == where}
    accuracy, drop = by_name["fresh_accuracy"], by_name["fresh_drop"]
    if accuracy.known is None:
        return "undecided", f"Nothing is known of fresh pairs: {accuracy.reason}."
    by = "" if voters == "human" else f", by {VOTERS[voters]}"
    said = f"Right on {100 * accuracy.known:.1f}% of {accuracy.n:,} fresh pairs{by}"
    if drop.known is None or drop.bounds is None:
        return "undecided", f"{said}; whether that is a drop is not known: {drop.reason}."
    low, high = 100 * drop.bounds.low, 100 * drop.bounds.high
    told = f"{100 * drop.known:+.1f} points from held-out pairs ({low:+.1f} to {high:+.1f})"
    if drop.bounds.low > 0:
        return "drops", f"{said}: the reward has lost on what the policy writes; drop {told}."
    if drop.bounds.high < config.tolerated:
        return "holds", f"{said}: no drop of {100 * config.tolerated:g} points; drop {told}."
    return "undecided", f"{said}: a drop is neither shown nor ruled out; drop {told}."
