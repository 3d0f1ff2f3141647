"""How many more pairs, votes or prompts would decide what is open with a good chance, were the figures the true ones.

As many as would just move the interval off the threshold if the next figure came out as this one leave it open every
second time: the next one varies too. Knows findings and thresholds; decides nothing.
"""

from __future__ import annotations

import math

from assay.findings.finding import Finding
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.intervals import Interval
from assay.stats.power import LIKELY, pairs_needed, pairs_needed_for_mean
from assay.stats.unknown import Unknown


def more_pairs(found: Finding, bar: float) -> int | Unknown:
    """Held-out pairs beyond those at hand at which the interval clears `bar` with a chance of 80%, or why not."""
    assert found.known is not None
    assert isinstance(found.interval, Interval)
    if EVERY_FIGURE[found.name].unit == "candidates":  # its interval is a set of n and shrinks in steps
        return Unknown("how many more prompts would settle where it turns is not foretold")
    effect, clusters = found.detail.get("design_effect"), found.detail.get("clusters")
    # A share has Wilson's interval, whose width at the bar is known; any other interval is taken to shrink as it
    # stands.
    if EVERY_FIGURE[found.name].unit == "share" and effect is not None and clusters is not None and 0 < bar < 1:
        needed = pairs_needed(
            found.known,
            bar,
            design_effect=effect,
            level=found.interval.level,
            clusters_per_pair=int(clusters) / found.n,
            chance=LIKELY,
        )
    else:
        interval = found.interval
        needed = pairs_needed_for_mean(
            found.known,
            bar,
            n=found.n,
            bounds=(interval.low, interval.high),
            level=interval.level,
            clusters=clusters,
            chance=LIKELY,
        )
    return needed if isinstance(needed, Unknown) else max(needed - found.n, 1)


def more_prompts(found: Finding, more: int | None) -> int | None:
    """Votes as prompts, at as many votes a prompt as there are now."""
    prompts = found.detail.get("clusters")
    return math.ceil(more * prompts / found.n) if more is not None and prompts else None
