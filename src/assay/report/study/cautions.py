"""What a reader of the verdict should hold against it, one rule a caution, silent where there is nothing to say.

Knows the analysis; knows no page.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.artifacts.analysis_body import CoverageDetail
from assay.report import words
from assay.report.finding_text import inline
from assay.study.analysis.study_result import Analysis

LOW_ALPHA = 0.2  # below this, most of what editors share is chance
MANY_BAD, MANY_QUICK, MANY_ABSTAIN = 0.2, 0.1, 0.2
LENGTH_GAP = 0.05  # win rate against win rate at equal length, in win-rate units


def cautions(analysis: Analysis) -> list[str]:
    """What a reader of the verdict should hold against it."""
    return [said for rule in CAUTIONS if (said := rule(analysis))]


def _incomplete(analysis: Analysis) -> str:
    found = analysis.find("coverage")
    if found is None or found.known is None or found.known >= 1:
        return ""
    told = CoverageDetail.of(found.detail)
    done, planned = words.count(told.done), words.count(told.planned)
    return f"The study was closed before it was finished: {done} of {planned} planned judgements were made."


def _one_editor(analysis: Analysis) -> str:
    if analysis.tables.counts.people != 1:
        return ""
    return "One person judged. The result is that person's taste; agreement between people is unknown."


def _attention(analysis: Analysis) -> str:
    failed = [row.editor for row in analysis.tables.editors if row.failed_attention]
    if not failed:
        return ""
    kept = "left out" if analysis.config.failed_attention == "exclude" else "counted"
    return f"{words.listing(failed)} failed attention items; their votes are {kept}. See Editors for both readings."


def _sides(analysis: Analysis) -> str:
    found = analysis.find("left_share")
    if found is None or found.known is None or found.bounds is None:
        return ""
    if found.bounds.low <= 0.5 <= found.bounds.high:
        return ""
    side = "left" if found.known > 0.5 else "right"
    return f"Editors leaned to the {side}: {inline(found)} of those who chose took the left answer."


def _length(analysis: Analysis) -> str:
    plain, even = analysis.find("win_rate"), analysis.find("length_controlled_win_rate")
    if plain is None or even is None or plain.known is None or even.known is None:
        return ""
    if abs(plain.known - even.known) < LENGTH_GAP:
        return ""
    return f"Length matters here: at equal length the win rate would be {inline(even)}."


def _agreement(analysis: Analysis) -> str:
    found = analysis.find("alpha")
    if found is None or found.known is None or found.known >= LOW_ALPHA or found.bounds is None:
        return ""  # without an interval, of a few items, it says nothing to keep in mind
    return f"Editors agreed little beyond chance (alpha {inline(found)})."


def _bad(analysis: Analysis) -> str:
    found = analysis.find("both_bad")
    if found is None or found.known is None or found.known < MANY_BAD:
        return ""
    return f"{words.percent(found.known)} of the judgements called both answers bad: winning is not being good."


def _quick(analysis: Analysis) -> str:
    found = analysis.find("quick_votes")
    if found is None or found.known is None or found.known < MANY_QUICK:
        return ""
    return f"{words.percent(found.known)} of the votes came faster than anyone can have read both answers."


def _abstained(analysis: Analysis) -> str:
    found = analysis.find("abstentions")
    if found is None or found.known is None or found.known < MANY_ABSTAIN:
        return ""
    return f"{words.percent(found.known)} of the judgements were abstentions; they are in no rate."


CAUTIONS: tuple[Callable[[Analysis], str], ...] = (
    _incomplete,
    _one_editor,
    _attention,
    _sides,
    _length,
    _agreement,
    _bad,
    _quick,
    _abstained,
)
