"""What a study like this one, as it turned out, could see. Knows votes and their likeness; leaves power to the plan."""

from __future__ import annotations

from assay.artifacts.analysis_body import ObservedPower
from assay.findings.finding import Finding
from assay.stats.power import prompt_variance, units_to_see
from assay.study.analysis.ballots import Ballots
from assay.study.plan.study_power import study_power

RATES = (0.55, 0.6, 0.65)  # true win rates for which the prompts needed are told


def observed_power(found: Ballots, icc: Finding | None, *, level: float) -> ObservedPower | None:
    """Power of a study of as many prompts and votes, as alike and as often tied; None where that is not known.

    icc: the likeness of votes on one prompt. Where every prompt has one vote it is unknown, and does not matter.
    """
    prompts = len(set(found.prompts))
    if prompts < 2 or icc is None:
        return None
    counts = found.counts()
    ties = (counts["tied"] + counts["both_bad"]) / len(found)
    alike = min(max(icc.known, 0.0), 0.99) if icc.known is not None else 0.0
    editors = len(found) / prompts
    ties = min(ties, 0.99)
    seen = study_power(prompts=prompts, editors=editors, icc=alike, ties=ties, level=level)
    return ObservedPower(
        prompts=seen.prompts,
        editors=seen.editors,
        icc=seen.icc,
        ties=seen.ties,
        level=seen.level,
        half_width=seen.half_width,
        power_at=seen.power_at,
        detectable=seen.detectable,
        icc_measured=icc.known,
        prompts_for={
            f"{rate:.0%}": prompts_to_see(rate, editors=editors, icc=alike, ties=ties, level=level)
            for rate in RATES
            if rate < 1 - ties / 2
        },
    )


def prompts_to_see(rate: float, *, editors: float, icc: float, ties: float, level: float) -> int:
    """Prompts, judged as in `study_power`, at which a true win rate is told from one half with 80% probability."""
    variance = prompt_variance(rate, votes=max(editors, 1.0), icc=icc, ties=ties)
    return units_to_see(rate - 0.5, variance=variance, level=level)
