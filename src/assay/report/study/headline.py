"""What stands above everything: lede, banner, verdict, the result in three sentences, four figures and a plot.

Knows the analysis and the gate's words; knows no HTML.
"""

from __future__ import annotations

from assay.artifacts.gate_body import CriterionBody
from assay.findings.finding import Finding
from assay.report import words
from assay.report.criteria_table import VerdictText, criterion
from assay.report.study.interval_rows import interval_plot, interval_row
from assay.report.study.reported_study import ReportedStudy, other_system
from assay.study.analysis.study_result import Analysis
from assay.study.analysis.vote_meanings import MEANINGS

DECISION = {
    "pass": "Every criterion is met, within the limits below.",
    "fail": "At least one criterion is not met.",
    "undecided": "The votes do not decide every criterion.",
}


def lede(analysis: Analysis, closed: str | None) -> str:
    counts = analysis.tables.counts
    people, prompts = who_judged(analysis), words.plural(counts.prompts, "prompt")
    return f"{analysis.ours} against {other_system(analysis)} · {people} · {prompts}" + (
        f" · closed {closed}" if closed else ""
    )


def who_judged(analysis: Analysis) -> str:
    """124 people; an unknown number of people."""
    people = analysis.tables.counts.people
    return "an unknown number of people" if people is None else words.plural(people, "person", "people")


def banner(analysis: Analysis) -> str:
    """What must be known before any figure; empty where nothing must."""
    judges = analysis.study.judges
    programs = sum(n for kind, n in judges.items() if kind != "human")
    if analysis.study.outside is not None:
        return "These votes were not cast in a study of assay. What their file does not say stands under Not known."
    if not analysis.tables.counts.people and programs:
        return (
            "No person's vote is in this result. Programs judged; their figures stand in their own section and say "
            "nothing about people."
        )
    if programs:
        told = words.plural(programs, "program")
        return f"{told} judged as well. No program's vote is in any figure of people; see Programs."
    return ""


def verdict(evidence: ReportedStudy) -> VerdictText:
    """The verdict, and each criterion with how many prompts would decide it where it is open."""
    criteria = [criterion(row, more=more_prompts(row)) for row in evidence.gate.criteria]
    return {
        "word": evidence.gate.verdict,
        "decision": DECISION[evidence.gate.verdict],
        "criteria": criteria,
        "thresholds": any(row["threshold"] for row in criteria),
    }


def more_prompts(row: CriterionBody) -> str:
    """How many prompts would decide an open criterion, in words."""
    more = row.more_prompts
    if not more:
        return ""
    way = f", for a {row.toward} if the figure stays (80% chance)" if row.toward else ""
    return f"About {words.rounded(more)} more prompts, judged as these were, would decide{way}."


def summary(analysis: Analysis) -> list[str]:
    """What was found, in three"""
    found = analysis.find("win_rate")
    if found is None or found.known is None:
        return [f"There is no win rate of people: {found.reason if found else 'not measured'}."]
    counts = analysis.tables.counts
    people, prompts = who_judged(analysis), words.plural(counts.prompts, "prompt")
    drawn = counts.tied + (counts.both_bad or 0)
    judged = (
        f"In {words.plural(counts.ballots, 'judgement')} by {people} on {prompts}, {analysis.ours} was preferred "
        f"{words.count(counts.won)} times, {other_system(analysis)} {words.count(counts.lost)} times, and "
        f"{words.count(drawn)} chose neither. With a tie counted as half, that is {words.percent(found.known)}"
    )
    if found.bounds is None:
        return [f"{judged}.", f"How far chance may have moved it is unknown ({found.reason})."]
    span = words.span(found.bounds, "share")
    reach = (
        f"; on other prompts of this kind, these people would likely put it between {span.replace(' to ', ' and ')}."
    )
    return [headline_sentence(analysis, found), judged + reach]


def headline_sentence(analysis: Analysis, found: Finding) -> str:
    ours, them = analysis.ours, other_system(analysis)
    assert found.bounds is not None
    if found.bounds.low > 0.5:
        return f"People preferred {ours} to {them}, by more than chance explains."
    if found.bounds.high < 0.5:
        return f"People preferred {them} to {ours}, by more than chance explains."
    return f"These votes do not tell whether people prefer {ours} or {them}."


def keys(evidence: ReportedStudy) -> list[dict[str, object]]:
    """The large figures under the summary, as the vocabulary names them."""
    return [{"name": said, "cell": evidence.cell(name)} for name, said in MEANINGS.shown_in("key figures").items()]


def headline_plot(evidence: ReportedStudy) -> tuple[str, str] | None:
    """The win rate in its four readings, against one half and what the gate asks for."""
    find = evidence.analysis.find
    shown = (
        ("Win rate, ties half", "win_rate", evidence.threshold),
        ("Without ties", "win_rate_without_ties", None),
        ("At equal length", "length_controlled_win_rate", None),
        ("Prompts won", "majority_share", None),
    )
    rows = [interval_row(said, find(name), bar, strong=name == "win_rate") for said, name, bar in shown]
    return interval_plot(rows, label=f"How often {evidence.analysis.ours} was preferred, with intervals")
