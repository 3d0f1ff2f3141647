"""An outcome in one sentence that someone reads who asked "did it get worse?". Computes nothing."""

from __future__ import annotations

from assay.capability.config import CapabilityConfig
from assay.capability.lost_ability import WayOutcome, points
from assay.findings.number_text import number_text
from assay.stats.intervals import Interval

WAYS = {"letter": "by letter", "text": "by text, raw", "text by length": "by text, per character"}


def outcome_sentence(way: WayOutcome, config: CapabilityConfig, *, same: bool = False) -> str:
    """The answer first, then what it rests on."""
    margin = f"{100 * config.margin:g} points"
    subjects = f"{way.subjects} {'subject' if way.subjects == 1 else 'subjects'}"
    questions = f"{way.n:,} {'question' if way.n == 1 else 'questions'}"
    on = f"on {questions} of {subjects}, asked {WAYS.get(way.asked, way.asked)}"
    if same:
        return f"The two are the same model, by their bytes: nothing changed, {on}."
    high = way.bounds.high if isinstance(way.bounds, Interval) else None
    low = way.bounds.low if isinstance(way.bounds, Interval) else None
    if way.outcome == "within" and high is not None:
        return f"Within {margin}: it lost at most {_at_most(high)} points {on}."
    if way.outcome == "worse" and low is not None:
        return f"Worse: it lost at least {number_text(100 * low, '.1f')} points {on}, more than the {margin} let pass."
    if way.outcome == "at_chance":
        return f"Cannot be told: {way.reason}, so nothing it lost would be seen; {on}."
    if way.outcome == "alone":
        return f"It can do the test: {way.reason}; {on}."
    if way.drop is None or high is None:
        return f"Not decided: {way.reason}."
    seen = f"a drop of {points(way.drop)} points, and up to {points(high)} cannot be ruled out"
    return f"Not decided: {seen}, {on}.{needed(way)}"


def needed(way: WayOutcome) -> str:
    """How many questions would decide; empty where no number is known."""
    told = []
    if way.if_nothing_lost is not None:
        told.append(f"about {rounded_up(way.if_nothing_lost)} if nothing was lost")
    if way.questions_needed is not None:
        told.append(f"about {rounded_up(way.questions_needed)} if the drop is what it looks like")
    return f" Questions that decide in 4 of 5 cases: {', '.join(told)}." if told else ""


def _at_most(high: float) -> str:
    return number_text(max(100 * high, 0.0), ".1f")


def rounded_up(number: int) -> str:
    """Two digits: the estimate is no better than that.

    >>> rounded_up(1234567)
    '1,300,000'
    """
    size = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // size) * size:,}"
