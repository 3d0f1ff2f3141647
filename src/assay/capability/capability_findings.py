"""Outcomes as findings: overall, by way of asking, and by subject. Knows figures and meanings; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.capability.capability_meanings import MEANINGS
from assay.capability.config import CapabilityConfig
from assay.capability.graded_table import GradedTable
from assay.capability.lost_ability import WayOutcome, share_interval
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.multiplicity import holm
from assay.stats.paired_difference import paired_drop
from assay.stats.paired_tests import mcnemar_exact
from assay.stats.unknown import Unknown


def capability_findings(
    ways: Sequence[WayOutcome], chosen: WayOutcome, table: GradedTable, config: CapabilityConfig
) -> list[Finding]:
    """Overall: the way the verdict rests on, `table` its grades. Then each way, then each subject of that way."""
    found = _of_way(chosen, OVERALL)
    for way in ways:
        found += _of_way(way, Slice("asked", way.asked))
    return found + _of_subjects(table, config)


def _of_way(way: WayOutcome, where: Slice) -> list[Finding]:
    found = []
    detail: dict[str, object] = {"asked": way.asked, "clusters": way.subjects}
    if way.before is not None and way.drop is not None:
        more = {
            **detail, "lost": way.lost, "gained": way.gained, "mcnemar_p": way.mcnemar_p, "outcome": way.outcome,
            "questions_needed": way.questions_needed, "if_nothing_lost": way.if_nothing_lost,
        }  # fmt: skip
        meaning = MEANINGS["capability_drop"]
        if way.outcome == "at_chance":
            why = f"at chance by {way.asked}: {way.reason}"
            found.append(unknown(meaning, why, n=way.n, slice=where, detail={**more, "seen": way.drop}))
        else:
            bounds = way.bounds if way.bounds is not None else Unknown("it was not measured")
            found.append(measured(meaning, way.drop, n=way.n, interval=bounds, slice=where, detail=more))
        interval = way.before_interval if way.before_interval is not None else Unknown("it was not measured")
        found.append(
            measured(MEANINGS["capability_before"], way.before, n=way.n, interval=interval, slice=where, detail=detail)
        )
    if way.after is None:
        return [*found, unknown(MEANINGS["capability_after"], way.reason, slice=where, detail=detail)]
    found.append(
        measured(
            MEANINGS["capability_after"], way.after, n=way.n, interval=way.after_interval, slice=where, detail=detail
        )
    )
    if way.ability is not None:
        more = {**detail, "rule": way.ability.rule, "guess": way.ability.guess}
        found.append(
            measured(
                MEANINGS["capability_beyond_guessing"], way.ability.mean, n=way.n, interval=way.ability.beyond,
                slice=where, detail=more,
            )
        )  # fmt: skip
    return found


def _of_subjects(table: GradedTable, config: CapabilityConfig) -> list[Finding]:
    """Each subject's figures over its own questions; McNemar's p adjusted over all subjects by Holm."""
    subjects = table.subjects
    names = list(dict.fromkeys(subjects.tolist()))
    if len(names) < 2:
        return []
    found, apart = [], []
    for name in names:
        mask = subjects == name
        where, n = Slice("subject", name), int(mask.sum())
        after = table.after[mask]
        if table.before is not None:
            before = table.before[mask]
            lost, gained = int((before > after).sum()), int((before < after).sum())
            apart.append((where, n, float((before - after).mean()), lost, gained, paired_drop(
                before, after, np.zeros(n, dtype=np.int64), level=config.level)))  # fmt: skip
            found.append(
                measured(
                    MEANINGS["capability_before"], float(before.mean()), n=n, slice=where,
                    interval=share_interval(before, subjects[mask], 0.95),
                )
            )  # fmt: skip
        found.append(
            measured(
                MEANINGS["capability_after"], float(after.mean()), n=n, slice=where,
                interval=share_interval(after, subjects[mask], 0.95),
            )
        )  # fmt: skip
    adjusted = holm([mcnemar_exact(lost, gained) for _, _, _, lost, gained, _ in apart]) if apart else ()
    for (where, n, drop, lost, gained, bounds), p in zip(apart, adjusted, strict=True):
        detail = {"lost": lost, "gained": gained, "mcnemar_p": mcnemar_exact(lost, gained), "p_of_subjects": float(p)}
        found.append(measured(MEANINGS["capability_drop"], drop, n=n, interval=bounds, slice=where, detail=detail))
    return found
