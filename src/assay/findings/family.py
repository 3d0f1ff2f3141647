"""The alarms of one audit, judged together: each figure says how surprising it is, and the family decides.

An audit looks at dozens of figures. Held against 5% each, a clean reward would set off one of them in most audits; held
together by Holm's rule, any of them goes off in at most 5% of clean audits, however they depend on each other. A
figure that was measured on too little to be found out is not an alarm and no all-clear either: it is called too_few.

Knows findings and their p values; knows not where these come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.findings.finding import Finding, Judgement
from assay.stats.multiplicity import holm

ENOUGH = 0.5  # chance of being found below which silence says nothing


def judged_together(findings: Sequence[Finding], *, level: float) -> list[Finding]:
    """The findings in their order, those with an alarm judged as one family; the others as they are.

    level: one minus the chance that any alarm goes off where nothing is wrong. The adjusted p value stands in `detail`
    beside the figure's own.
    """
    places = [place for place, finding in enumerate(findings) if finding.alarm is not None]
    alarms = [alarm for finding in findings if (alarm := finding.alarm) is not None]
    found = list(findings)
    if not alarms:
        return found
    adjusted_M = holm([alarm.p for alarm in alarms], [alarm.weight for alarm in alarms])
    for place, alarm, adjusted in zip(places, alarms, adjusted_M, strict=True):
        if adjusted <= 1 - level:
            verdict: Judgement = alarm.strength
        else:
            verdict = "too_few" if alarm.power is not None and alarm.power < ENOUGH else "ok"
        detail = {**found[place].detail, "p": alarm.p, "p_of_family": float(adjusted), "alarms_in_family": len(alarms)}
        found[place] = replace(found[place], verdict=verdict, detail=detail)
    return found
