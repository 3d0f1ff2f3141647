"""Programs that judged: their figures under their own names, and how far each agrees with people.

Beside them stands what one person does against the others, or nobody could tell how much agreement is much. Knows votes
and who gave them; no figure here is one of people's preference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from assay.findings.finding import Finding, unknown
from assay.findings.slice import Slice
from assay.stats import winrate
from assay.study.analysis import vote_figures
from assay.study.analysis.ballots import DRAWN, ballots, label
from assay.study.analysis.vote_figures import Frame
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.study_records import StudyVote


def program_findings(votes: Sequence[StudyVote], people: Sequence[StudyVote], kind: str, frame: Frame) -> list[Finding]:
    """Figures of programs of one kind, under their own names; and how far each agrees with people."""
    group, level = Slice("judges", kind), frame.config.level
    found = ballots(votes, frame.ours)
    nobody = "every judgement was an abstention"
    out = [
        *vote_figures.win_rates(found, group, level=level, nobody=nobody),
        *vote_figures.choice_findings(votes, group, level=level),
        *vote_figures.side_findings(found, group, level=level),
        vote_figures.consistency_finding(votes, group, frame),
        *vote_figures.agreement_findings(votes, group, frame),
    ]
    for name in dict.fromkeys(vote.editor for vote in votes):
        own, where = [vote for vote in votes if vote.editor == name], Slice("judge", name)
        out += vote_figures.win_rates(ballots(own, frame.ours), where, level=level, nobody=nobody)
        out.append(vote_figures.side_findings(ballots(own, frame.ours), where, level=level)[0])
        out.append(vote_figures.consistency_finding(own, where, frame))
        out.append(against_people(own, people, where, frame))
    return out


def against_people(own: Sequence[StudyVote], people: Sequence[StudyVote], where: Slice, frame: Frame) -> Finding:
    """How often one judge's choice is that of the people's majority, on items where both chose a side."""
    lean = leanings(people, frame)
    pairs = [
        (label(vote, frame.order) == _side(lean[vote.item]), vote.prompt_id)
        for vote in own
        if vote.kind == "real" and _chose(vote) and lean.get(vote.item)
    ]
    if not pairs:
        return unknown(
            MEANINGS["judge_agreement"], "no item where both this judge and most people chose a side", slice=where
        )
    hits, prompts = zip(*pairs, strict=True)
    return vote_figures.rate_finding(
        "judge_agreement", winrate.share(hits, prompts, level=frame.config.level), where, agreed=sum(hits)
    )


def person_against_others(people: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """The same for people, each against the majority of the others: what a program is to be compared with."""
    where = Slice("one person against the others")
    lean = leanings(people, frame)
    pairs = []
    for vote in people:
        if vote.kind == "real" and _chose(vote):
            # Without the person's own vote, or everybody would agree with a majority that they are part of.
            others = lean.get(vote.item, 0) - _points(vote, frame)
            if others:
                pairs.append((label(vote, frame.order) == _side(others), vote.prompt_id))
    if not pairs:
        return [
            unknown(
                MEANINGS["judge_agreement"], "no item where a person and most of the others chose a side", slice=where
            )
        ]
    hits, prompts = zip(*pairs, strict=True)
    share = winrate.share(hits, prompts, level=frame.config.level)
    return [vote_figures.rate_finding("judge_agreement", share, where, agreed=sum(hits))]


def leanings(votes: Sequence[StudyVote], frame: Frame) -> Mapping[str, int]:
    """By item: votes for the system that stands earlier in the study's list, less those for the later one."""
    lean: dict[str, int] = defaultdict(int)
    for vote in votes:
        if vote.kind == "real" and _chose(vote):
            lean[vote.item] += _points(vote, frame)
    return lean


def _chose(vote: StudyVote) -> bool:
    return vote.choice not in DRAWN and vote.choice != "abstain"


def _points(vote: StudyVote, frame: Frame) -> int:
    return 1 if label(vote, frame.order) == 0 else -1


def _side(lean: int) -> float:
    return 0.0 if lean > 0 else 1.0
