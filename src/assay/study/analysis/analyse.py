"""A closed study to findings: of people over everything and over parts, both ways of attention, of programs apart.

Figures called "overall" are of people only. Programs that judged have slices of their own ("judges=llm",
"judge=NAME") and never enter a figure of people. Knows who judged; computes no figure itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.errors import StudyError
from assay.findings.finding import Finding, unknown
from assay.findings.slice import OVERALL, Slice
from assay.records import NO_CATEGORY
from assay.study.analysis import editors, programs, vote_figures
from assay.study.analysis.ballots import Ballots, aspect_ballots, ballots, reading_words, takes_part
from assay.study.analysis.observed_power import observed_power
from assay.study.analysis.strengths import strengths
from assay.study.analysis.study_result import Analysis
from assay.study.analysis.study_tables import analysis_tables, study_facts
from assay.study.analysis.vote_figures import Frame
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.config import AnalysisConfig
from assay.study.study_records import EDITOR_KINDS, ClosedStudy, StudyVote

NEVER = "never compared by a person"
NOT_OF_PEOPLE = ("coverage", "judge_agreement", "strength")  # unknown for reasons of their own where nobody judged


def analyse(closed: ClosedStudy, *, config: AnalysisConfig | None = None) -> Analysis:
    """Every figure of a closed study, unknown ones with their reason.

    Raises StudyError where `config.system` is not a system of the study.
    """
    config = config or AnalysisConfig()
    if config.editors == "numbered":
        closed = with_numbered_editors(closed)
    frame = Frame(
        ours=_ours(closed, config),
        order={name: index for index, name in enumerate(closed.study.systems)},
        items=closed.items,
        words=reading_words(closed.items),
        config=config,
        outside=closed.outside,
    )
    people = [vote for vote in closed.votes if vote.judge == "human"]
    failed = editors.failing(people, config.attention_pass)
    kept = [vote for vote in people if config.failed_attention == "keep" or vote.editor not in failed]
    findings = _people(closed, people, kept, frame)
    findings += _both_ways(people, failed, frame)
    for kind in EDITOR_KINDS:
        own = [vote for vote in closed.votes if vote.judge == kind]
        if kind != "human" and own:
            findings += programs.program_findings(own, kept, kind, frame)
    findings += programs.person_against_others(kept, frame)
    icc = next((found for found in findings if (found.name, found.slice) == ("icc", OVERALL)), None)
    power = observed_power(ballots(kept, frame.ours), icc, level=config.level)
    return Analysis(
        findings=tuple(findings),
        tables=analysis_tables(closed, kept, failed, power, frame),
        ours=frame.ours,
        study=study_facts(closed),
        config=config,
        inputs={"seal": closed.study.seal, **closed.study.inputs},
    )


def _ours(closed: ClosedStudy, config: AnalysisConfig) -> str:
    systems = closed.study.systems
    if not systems:
        raise StudyError("The study names no system. Make it again from files that do.")
    if config.system is not None and config.system not in systems:
        raise StudyError(f"No system of this study is called {config.system!r}. It has: {', '.join(systems)}.")
    return config.system or systems[-1]


def _people(closed: ClosedStudy, people: Sequence[StudyVote], kept: Sequence[StudyVote], frame: Frame) -> list[Finding]:
    """All figures of people, over everything and over parts."""
    level = frame.config.level
    humans = {editor.name for editor in closed.study.editors if editor.judge == "human"}
    planned = sum(count for name, count in closed.planned.items() if name in humans)
    coverage = vote_figures.coverage_finding(len(people), planned if closed.outside is None else None)
    found = ballots(kept, frame.ours)
    # One reason for all, or each figure would say in its own words that it has no votes.
    if not any(vote.kind == "real" for vote in kept):
        why = why_nobody(closed, people)
        slices = [unknown(MEANINGS[name], why) for name in MEANINGS if name not in NOT_OF_PEOPLE]
        return [*slices, coverage, *editors.editor_findings(closed, people, frame)]
    out = vote_figures.win_rates(found, OVERALL, level=level, nobody=_no_ballots(kept, frame))
    out.append(vote_figures.length_finding(found, OVERALL, frame))
    out += vote_figures.majority_findings(found, OVERALL, level=level)
    choices = vote_figures.choice_findings(kept, OVERALL, level=level)
    if frame.outside is not None:  # ties, both_bad, abstentions
        choices[1] = unknown(MEANINGS["both_bad"], "the file is read with one word for a tie and for both bad")
    out += choices
    out += vote_figures.side_findings(found, OVERALL, level=level)
    out.append(vote_figures.consistency_finding(kept, OVERALL, frame))
    out += vote_figures.agreement_findings(kept, OVERALL, frame)
    out.append(vote_figures.attention_finding(people, OVERALL, level=level))
    out += vote_figures.time_findings(kept, OVERALL, frame)
    out += [coverage, vote_figures.icc_finding(found, OVERALL)]
    out += _parts(closed, kept, found, frame)
    return out + editors.editor_findings(closed, people, frame)


def _no_ballots(kept: Sequence[StudyVote], frame: Frame) -> str:
    if any(takes_part(vote, frame.ours) for vote in kept):
        return f"every judgement of {frame.ours} was an abstention"
    return f"no judgement compares {frame.ours} with another system"


def _parts(closed: ClosedStudy, kept: Sequence[StudyVote], found: Ballots, frame: Frame) -> list[Finding]:
    """Win rates by category, by rated aspect and by opponent; strengths of three or more systems."""
    level = frame.config.level
    out = []
    categories = sorted({vote.category or NO_CATEGORY for vote in found.votes})
    if categories != [NO_CATEGORY]:
        for name in categories:
            part = found.where(lambda vote, name=name: (vote.category or NO_CATEGORY) == name)  # type: ignore[misc]
            out += vote_figures.win_rates(part, Slice("category", name), level=level)
    for aspect in closed.study.aspects:
        rated = aspect_ballots(kept, frame.ours, aspect)
        out += vote_figures.win_rates(rated, Slice("aspect", aspect), level=level, nobody="nobody rated this aspect")
    if len(closed.study.systems) > 2:
        for name in closed.study.systems:
            if name != frame.ours:
                part = found.where(lambda vote, name=name: name in (vote.left_system, vote.right_system))  # type: ignore[misc]
                out += vote_figures.win_rates(
                    part, Slice("against", name), level=level, nobody="never compared by a person"
                )
        out += strengths(kept, closed.study.systems, frame)
    return out


def _both_ways(people: Sequence[StudyVote], failed: frozenset[str], frame: Frame) -> list[Finding]:
    """The win rate with and without editors who failed attention items, where there are any."""
    if not failed:
        return []
    without = ballots((vote for vote in people if vote.editor not in failed), frame.ours)
    everyone = ballots(people, frame.ours)
    level, nobody_ = frame.config.level, "every editor failed the attention items"
    return [
        vote_figures.win_rates(everyone, Slice("editors", "all"), level=level)[0],
        vote_figures.win_rates(without, Slice("editors", "attention passed"), level=level, nobody=nobody_)[0],
    ]


def why_nobody(closed: ClosedStudy, people: Sequence[StudyVote]) -> str:
    """Why there is no figure of people."""
    if people:
        excluded = any(vote.kind == "real" for vote in people)
        return "every editor failed the attention items" if excluded else "no person judged a real item"
    kinds = sorted({vote.judge for vote in closed.votes})
    if kinds:
        return f"only programs judged ({', '.join(kinds)}), and they are no people"
    return "nobody voted"


def with_numbered_editors(closed: ClosedStudy) -> ClosedStudy:
    """The same study with people called editor-1, editor-2, ... in the study's order; programs keep their names."""
    people = [editor.name for editor in closed.study.editors if editor.judge == "human"]
    names = {name: f"editor-{number}" for number, name in enumerate(people, 1)}

    def new(name: str) -> str:
        return names.get(name, name)

    return ClosedStudy(
        study=replace(closed.study, editors=tuple(replace(e, name=new(e.name)) for e in closed.study.editors)),
        items=closed.items,
        votes=tuple(replace(vote, editor=new(vote.editor)) for vote in closed.votes),
        planned={new(name): count for name, count in closed.planned.items()},
        outside=closed.outside,
    )
