"""Strengths of three or more systems on one scale, from people's votes. Knows votes; leaves the fit to stats."""

from __future__ import annotations

from collections.abc import Sequence

from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import Slice
from assay.stats.ranking import bradley_terry
from assay.stats.unknown import Unknown
from assay.study.analysis.ballots import score
from assay.study.analysis.vote_figures import Frame
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.study_records import StudyVote


def strengths(votes: Sequence[StudyVote], systems: Sequence[str], frame: Frame) -> list[Finding]:
    """Bradley-Terry strengths of three or more systems, strongest first; unknown for all where they do not connect."""
    real = [vote for vote in votes if vote.kind == "real" and vote.choice != "abstain"]
    told = [vote for vote in real if vote.left_system != vote.right_system]
    ranked = bradley_terry(
        [vote.left_system for vote in told],
        [vote.right_system for vote in told],
        [score(vote.choice, vote, vote.left_system) for vote in told],
        [vote.prompt_id for vote in told],
        level=frame.config.level,
        resamples=frame.config.resamples,
        seed=frame.config.seed,
    )
    if isinstance(ranked, Unknown):
        return [unknown(MEANINGS["strength"], ranked.reason, slice=Slice("system", name)) for name in systems]
    return [
        measured(
            MEANINGS["strength"],
            place.score,
            n=place.n,
            interval=place.interval,
            slice=Slice("system", place.system),
            detail={"log_strength": place.log_strength, "rank": rank},
        )
        for rank, place in enumerate(ranked, 1)
    ]
