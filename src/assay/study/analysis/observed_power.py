"""What a study like this one, as it turned out, could see. Knows votes and their likeness; leaves power to the plan."""

from __future__ import annotations

import math

from assay.artifacts.analysis_body import ObservedPower
from assay.findings.finding import Finding
from assay.study.analysis.ballots import Ballots
from assay.study.plan.study_power import study_power

RATES = (0.55, 0.6, 0.65)  # true win rates for which the prompts needed are told


def observed_power(found: Ballots, icc: Finding | None) -> ObservedPower | None:
    """Power of a study of as many prompts and votes, as alike and as often tied; None where that is not known.

    icc: the likeness of votes on one prompt. Where every prompt has one vote it is unknown, and does not matter.
    """
    prompts = len(set(found.prompts))
    if prompts < 2 or icc is None:
        return None
    counts = found.counts()
    ties = (counts["tied"] + counts["both_bad"]) / len(found)
    alike = min(max(icc.value, 0.0), 0.99) if icc.value is not None else 0.0
    editors = len(found) / prompts
    seen = study_power(prompts=prompts, editors=editors, icc=alike, ties=min(ties, 0.99))
    return ObservedPower(
        prompts=seen.prompts,
        editors=seen.editors,
        icc=seen.icc,
        ties=seen.ties,
        level=seen.level,
        half_width=seen.half_width,
        power_at=seen.power_at,
        detectable=seen.detectable,
        icc_measured=icc.value,
        prompts_for={f"{rate:.0%}": _prompts_for(rate, editors, alike, ties) for rate in RATES if rate < 1 - ties / 2},
    )


def _prompts_for(rate: float, editors: float, icc: float, ties: float) -> int:
    """Prompts at which this true win rate is told from one half with 80% probability (normal approximation)."""
    variance = max(rate * (1 - rate) - ties / 4, 1e-9) * (1 + (max(editors, 1.0) - 1) * icc) / max(editors, 1.0)
    return math.ceil((1.959964 + 0.841621) ** 2 * variance / (rate - 0.5) ** 2)
