"""What each probe did to the rewards: how often they did what they must not, how far, where, and to which answers.

A reward counts as raised, and two answers as ordered, from RAISE of the usual margin on: below that it is rounding.
Shapes: S seeds, M pairs that a probe changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.artifacts.audit_probe_table import ProbeCategoryRow, ProbeExample, ProbeRow, ProbeTable
from assay.audits.part import Found, Given
from assay.audits.probes.all_probes import PROBES
from assay.audits.probes.probe_meanings import MEANING_OF
from assay.audits.rescored import Probed, Rescored
from assay.audits.scores_table import Aligned
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.records import NO_CATEGORY, plain_text
from assay.stats.intervals import Array, Codes, Interval, cluster_wilson
from assay.stats.one_sided import effective_size, p_share_above, power_of_share

RAISE = 0.05  # of the root mean square margin
WORST = 3  # examples of each probe
MATTERS = 0.25  # above what is tolerated: the rate for which a probe must be found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """place: of each pair among those audited (M,). did: what must not be, averaged over seeds, in [0, 1] (M,).

    shift: of the changed answers in usual margins, over seeds (M,); before, after: their rewards. side: which of them.
    rivals: what they were held against, where that is no answer of the pair; before is then its reward.
    overtakes: see ProbeRow. unscored: pairs left out, since a changed answer got no reward.
    """

    place: Codes
    did: Array
    shift: Array
    before: Array
    after: Array
    texts: tuple[str, ...]
    rivals: tuple[str, ...]
    side: str
    overtakes: float | None
    unscored: int


def probe_audit(given: Given) -> Found:
    """A finding and a row of the table for each probe asked for; nothing where none was."""
    rescored = given.rescored
    asked = [] if rescored is None else [name for name in rescored.asked if name in PROBES]
    if rescored is None or not asked:
        return Found(findings=[])
    if rescored.why_not:
        return Found(findings=[unknown(MEANING_OF[name], rescored.why_not) for name in asked])
    found = [_judged(given, name, rescored) for name in asked]
    table = ProbeTable(skipped=rescored.skipped, rows=[row for _, row in found])
    return Found(findings=[finding for finding, _ in found], tables={"probes": table})


def outcome(aligned: Aligned, name: str, probed: Probed) -> Outcome:
    """What a probe did, on the pairs whose rewards are known before and after."""
    probe = PROBES[name]
    number = {pair.id: place for place, pair in enumerate(aligned.pairs)}
    known = [column for column, pair_id in enumerate(probed.pair_ids) if pair_id in number]
    place = np.array([number[probed.pair_ids[column]] for column in known], dtype=np.intp)
    after = {side: rewards[:, known] for side, rewards in probed.changed.items()}
    before = {side: getattr(aligned, side)[:, place] for side in ("chosen", "rejected")}
    whole = np.isfinite([*after.values(), *before.values()]).all(axis=(0, 1))
    usual = np.sqrt(np.nanmean(np.where(aligned.finite, aligned.margin, np.nan) ** 2, axis=1))[:, None]
    least, keep = RAISE * usual, whole
    overtakes = None
    margin = before["chosen"] - before["rejected"]
    side = probe.sides[0]
    with np.errstate(invalid="ignore"):
        if probe.kind == "surface":
            turned = (after["chosen"] - after["rejected"]) * np.sign(margin)
            ordered = np.abs(margin) > least
            did = np.where(ordered, 0.5 - 0.5 * np.sign(turned), np.nan)
            keep = whole & ordered.any(axis=0)
        else:
            if probe.kind == "against":
                before = {side: after["rejected"]}
            did = (after[side] - before[side] > least).astype(np.float64)
        if probe.kind == "added":
            right = (margin > 0) & whole
            overtakes = float((after[side] > before["chosen"])[right].mean()) if right.any() else None
    shift = np.divide(after[side] - before[side], usual, out=np.zeros_like(after[side]), where=usual > 0)
    kept = [column for column, there in zip(known, np.atleast_1d(keep), strict=True) if there]
    shown = {one: tuple(texts[column] for column in kept) for one, texts in probed.texts.items()}
    return Outcome(
        place=place[keep],
        did=np.nanmean(did[:, keep], axis=0) if keep.any() else np.zeros(0),
        shift=shift[:, keep].mean(axis=0),
        before=before[side][:, keep].mean(axis=0),
        after=after[side][:, keep].mean(axis=0),
        texts=shown[side],
        rivals=shown["rejected"] if probe.kind == "against" else (),
        side=side,
        overtakes=overtakes,
        unscored=int((~whole).sum()),
    )


def _judged(given: Given, name: str, rescored: Rescored) -> tuple[Finding, ProbeRow]:
    probe, probed = PROBES[name], rescored.probes[name]
    seen = outcome(given.aligned, name, probed)
    row = ProbeRow(
        probe=name, kind=probe.kind, words=probe.words, n=int(seen.place.size), rate=None, low=None, high=None,
        tolerated=probe.tolerated, shift=None, overtakes=seen.overtakes, unscored=seen.unscored,
        unchanged=probed.unchanged, categories=[], worst=[],
    )  # fmt: skip
    if not seen.place.size:
        return unknown(MEANING_OF[name], _why_none(seen, probed, rescored)), row
    groups = given.aligned.groups[seen.place]
    rate, interval = float(seen.did.mean()), cluster_wilson(seen.did, groups, level=given.config.level)
    p = p_share_above(seen.did, groups, probe.tolerated)
    power = power_of_share(probe.tolerated + MATTERS, probe.tolerated, effective_size(seen.did, groups))
    finding = measured(
        MEANING_OF[name],
        rate,
        n=row["n"],
        interval=interval,
        alarm=None if p is None else Alarm(p=p, power=power),
        detail={
            "tolerated": probe.tolerated,
            "shift": float(seen.shift.mean()),
            "clusters": len(set(groups.tolist())),
            **({} if seen.overtakes is None else {"overtakes": seen.overtakes}),
        },
    )
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)
    row["rate"], row["low"], row["high"], row["shift"] = rate, low, high, float(seen.shift.mean())
    row["categories"] = _by_category(given, seen)
    row["worst"] = _worst(given.aligned, seen)
    return finding, row


def _why_none(seen: Outcome, probed: Probed, rescored: Rescored) -> str:
    if seen.unscored:
        return f"none of {seen.unscored} changed answers got a reward"
    if probed.unchanged:
        return f"there is nothing to change in the answers of {probed.unchanged} pairs"
    if rescored.skipped:
        return f"the answers of {rescored.skipped} pairs looked at are not in Latin script, which the rules are for"
    return "no pair has two answers that the reward puts in an order"


def _by_category(given: Given, seen: Outcome) -> list[ProbeCategoryRow]:
    names = np.asarray(given.aligned.categories)[seen.place]
    rows: list[ProbeCategoryRow] = []
    for name in sorted(set(names.tolist()) - {NO_CATEGORY}):
        mine = names == name
        interval = cluster_wilson(seen.did[mine], given.aligned.groups[seen.place][mine], level=given.config.level)
        low, high = (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)
        rows.append(
            ProbeCategoryRow(category=name, n=int(mine.sum()), rate=float(seen.did[mine].mean()), low=low, high=high)
        )
    return rows


def _worst(aligned: Aligned, seen: Outcome) -> list[ProbeExample]:
    """Of the answers of which the reward did what it must not, those it moved most."""
    moved = np.where(seen.did > 0, np.abs(seen.shift), -1.0)
    found: list[ProbeExample] = []
    for number in np.argsort(-moved, kind="stable")[:WORST]:
        if moved[number] < 0:
            break
        pair = aligned.pairs[seen.place[number]]
        found.append(
            ProbeExample(
                pair_id=pair.id,
                category=pair.category,
                side=seen.side,
                prompt=plain_text(pair.prompt),
                before=seen.rivals[number] if seen.rivals else plain_text(getattr(pair, seen.side)),
                after=seen.texts[number],
                reward_before=float(seen.before[number]),
                reward_after=float(seen.after[number]),
            )
        )
    return found
