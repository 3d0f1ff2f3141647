"""Judges one by one, two by two, and programs against people. Knows votes and who gave them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import Slice
from assay.stats import winrate
from assay.stats.agreement import pair_agreement
from assay.stats.ranking import bradley_terry
from assay.stats.unknown import Unknown
from assay.study.analysis import vote_figures
from assay.study.analysis.ballots import DRAWN, ballots, label, score, takes_part
from assay.study.analysis.vote_figures import Frame
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.study_records import ClosedStudy, StudyVote

OF_PROGRAMS = ("judge_agreement", "strength")
CHOICES = 4  # labels an item can get: one system, the other, tie, both bad


def failing(votes: Sequence[StudyVote], least: float) -> frozenset[str]:
    """Editors who judged less than `least` of their attention items right."""
    checks: dict[str, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.kind == "attention":
            checks[vote.editor].append(vote.choice == vote.expected)
    return frozenset(name for name, right in checks.items() if sum(right) / len(right) < least)


def editor_findings(closed: ClosedStudy, people: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """Each person's own figures; an editor who said nothing has them unknown, with the reason."""
    out = []
    for editor in closed.study.editors:
        if editor.judge == "human":
            own = [vote for vote in people if vote.editor == editor.name]
            out += _one_judge(own, Slice("editor", editor.name), frame)
    return out


def _one_judge(own: Sequence[StudyVote], where: Slice, frame: Frame) -> list[Finding]:
    level = frame.config.level
    found = ballots(own, frame.ours)
    nobody = "every judgement was an abstention" if any(vote.kind == "real" for vote in own) else "judged nothing"
    return [
        *vote_figures.win_rates(found, where, level=level, nobody=nobody),
        vote_figures.side_findings(found, where, level=level)[0],
        vote_figures.choice_findings(own, where, level=level)[2],
        vote_figures.consistency_finding(own, where, frame),
        vote_figures.attention_finding(own, where, level=level),
        *vote_figures.time_findings(own, where, frame),
    ]


def editor_rows(closed: ClosedStudy, failed: frozenset[str]) -> list[dict[str, Any]]:
    """Counts of every judge, people and programs, in the study's order."""
    rows = []
    for editor in closed.study.editors:
        own = [vote for vote in closed.votes if vote.editor == editor.name]
        rows.append(
            {
                "editor": editor.name,
                "judge": editor.judge,
                "planned": closed.planned.get(editor.name),
                "judged": len(own),
                "abstained": sum(vote.choice == "abstain" for vote in own if vote.kind == "real"),
                "undone": sum(vote.undone for vote in own),
                "comments": sum(bool(vote.comment) for vote in own),
                "failed_attention": editor.name in failed,
            }
        )
    return rows


def pair_rows(votes: Sequence[StudyVote], frame: Frame) -> list[dict[str, Any]]:
    """Raw agreement, Cohen's kappa and Gwet's AC1 of every two editors who judged an item in common."""
    labels: dict[str, dict[str, float]] = defaultdict(dict)
    for vote in votes:
        if vote.kind == "real":
            labels[vote.editor][vote.item] = label(vote, frame.order)
    rows = []
    for first, second in combinations(labels, 2):
        common = sorted(labels[first].keys() & labels[second].keys())
        a, b = ([labels[name][item] for item in common] for name in (first, second))
        found = pair_agreement(a, b, categories=CHOICES)
        if not isinstance(found, Unknown):
            rows.append(
                {
                    "editors": [first, second],
                    "n": found.n,
                    "raw": found.raw,
                    "kappa": found.kappa,
                    "ac1": found.ac1,
                    "reason": found.reason,
                }
            )
    return rows


def prompt_rows(votes: Sequence[StudyVote], frame: Frame) -> list[dict[str, Any]]:
    """How people's votes on each prompt fell, by prompt id."""
    rows: dict[str, dict[str, Any]] = {}
    for vote in votes:
        if vote.kind != "real" or not takes_part(vote, frame.ours):
            continue
        row = rows.setdefault(
            vote.prompt_id, {"prompt_id": vote.prompt_id, "won": 0, "tied": 0, "lost": 0, "abstained": 0}
        )
        if vote.choice == "abstain":
            row["abstained"] += 1
        else:
            row[{1.0: "won", 0.5: "tied", 0.0: "lost"}[score(vote.choice, vote, frame.ours)]] += 1
    return [rows[name] for name in sorted(rows)]


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


def program_findings(votes: Sequence[StudyVote], people: Sequence[StudyVote], kind: str, frame: Frame) -> list[Finding]:
    """Figures of programs of one kind, under their own names; and how far each agrees with people."""
    group, level = Slice("judges", kind), frame.config.level
    found = ballots(votes, frame.ours)
    nobody = "every judgement was an abstention"
    out = [
        *vote_figures.win_rates(found, group, level=level, nobody=nobody),
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
        "judge_agreement", winrate.share(hits, prompts, level=frame.config.level), where, agreed=int(np.sum(hits))
    )


def person_against_others(people: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """The same for people, each against the majority of the others: what a program is to be compared with."""
    where = Slice("one person against the others")
    lean = leanings(people, frame)
    pairs = []
    for vote in people:
        if vote.kind == "real" and _chose(vote):
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
    return [vote_figures.rate_finding("judge_agreement", share, where, agreed=int(np.sum(hits)))]


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
