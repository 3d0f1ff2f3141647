"""The part of an audit on slices: a row for every one, and one figure for the one that stands out.

Knows which figure is made of what; the test stands in `slice_scan`.
"""

from __future__ import annotations

import numpy as np

from assay.artifacts.audit_slices_table import SliceRow
from assay.audits.part import Found, Given
from assay.audits.scores_table import Mask
from assay.audits.slices.slice_meanings import SLICE_FIGURES
from assay.audits.slices.slice_members import HARDER_BY_NATURE, members
from assay.audits.slices.slice_scan import STRENGTH, TOLERATED, Scanned, adjusted, scan
from assay.findings.alarm import Alarm
from assay.findings.family import ENOUGH
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import Slice
from assay.stats.intervals import Array, Codes, Interval, cluster_t, cluster_wilson, ending
from assay.stats.one_sided import FAMILY_ALPHA
from assay.stats.unknown import Unknown

FEWEST = (
    5  # pairs of a slice, or of its rest, under which it is not looked at: it would only cost the others their error
)
(MEANING,) = SLICE_FIGURES


def slices_audit(given: Given) -> Found:
    """The finding `weakest_slice` and the table of slices."""
    aligned, level = given.aligned, given.config.level
    correct, groups = aligned.correct.mean(axis=0), aligned.groups
    found = once_each(members(aligned))
    looked_at = [
        (where, mask)
        for where, mask in found
        if where.part not in HARDER_BY_NATURE and FEWEST <= mask.sum() <= aligned.n - FEWEST
    ]
    scanned = scan(correct, groups, [mask for _, mask in looked_at])
    p_of = adjusted(scanned)
    known = {where: (one, float(p)) for (where, _), one, p in zip(looked_at, scanned, p_of, strict=True)}
    rows = [_row(given, where, mask, known.get(where)) for where, mask in found]
    return Found(findings=[_weakest(looked_at, scanned, correct, groups, level)], tables={"slices": rows})


def once_each(found: list[tuple[Slice, Mask]]) -> list[tuple[Slice, Mask]]:
    """Without slices that hold the same pairs as one before: a file that is a category is one question, not two."""
    seen: dict[bytes, tuple[Slice, Mask]] = {}
    for where, mask in found:
        seen.setdefault(np.packbits(mask).tobytes(), (where, mask))
    return list(seen.values())


def _row(given: Given, where: Slice, mask: Mask, known: tuple[Scanned, float] | None) -> SliceRow:
    correct, groups = given.aligned.correct.mean(axis=0), given.aligned.groups
    values = correct[mask]
    interval = cluster_wilson(values, groups[mask], level=given.config.level)
    bounds = interval if isinstance(interval, Interval) else None
    one, p = known if known else (None, None)
    row: SliceRow = {
        "kind": where.part,
        "name": where.name or "",
        "n": values.size,
        "groups": len(np.unique(groups[mask])),
        "accuracy": float(values.mean()),
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
        "rest": float(correct[~mask].mean()),
        "p": p,
        "power": one.power if one else None,
        "judged": "shown" if where.part in HARDER_BY_NATURE else "too_few",
    }
    if one is not None and p is not None:
        row["judged"] = "below" if p <= FAMILY_ALPHA else "too_few" if one.power < ENOUGH else "ok"
    return row


def _weakest(
    looked_at: list[tuple[Slice, Mask]], scanned: list[Scanned], correct: Array, groups: Codes, level: float
) -> Finding:
    """The slice of the smallest p; its p is that of the whole scan, since any of them could have been named."""
    if not scanned:
        return unknown(MEANING, f"no slice has {FEWEST} pairs or more and as many beside it", n=correct.size)
    place = min(range(len(scanned)), key=lambda at: (scanned[at].p, scanned[at].accuracy - scanned[at].rest))
    (where, mask), one = looked_at[place], scanned[place]
    # Each pair's pull on the difference of two means, so that prompts on both sides count as what they are.
    pull = np.where(mask, (correct - one.accuracy) / mask.mean(), -(correct - one.rest) / (~mask).mean())
    spread = cluster_t(pull, groups, level=1 - (1 - level) / len(scanned))
    difference = one.accuracy - one.rest
    interval: Interval | Unknown = spread
    if isinstance(spread, Interval):
        interval = ending(
            Interval(
                low=difference + spread.low,
                high=difference + spread.high,
                level=level,
                method=f"t, clustered by prompt group, Bonferroni over {len(scanned)} slices",
            ),
            -1.0,
            1.0,
        )
    return measured(
        MEANING,
        difference,
        n=one.n,
        interval=interval,
        detail={
            "named": str(where),
            "accuracy": one.accuracy,
            "rest": one.rest,
            "slices": len(scanned),
            "tolerated": TOLERATED,
            "strength": STRENGTH,
        },
        alarm=Alarm(p=min(len(scanned) * one.p, 1.0), strength="warning", power=max(other.power for other in scanned)),
    )
