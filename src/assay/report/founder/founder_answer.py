"""The answer in the first sentence: whether editors preferred the new model, and whether ability was lost.

What is said follows from where the interval of the win rate lies, never from the rate alone. Knows artifacts and plain
words; knows no HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.founder.told_run import ToldRun
from assay.stats.intervals import Interval
from assay.study.analysis.study_result import Analysis

Outcome = Literal["as_wanted", "better", "less_than_wanted", "no_better", "undecided", "worse", "unknown", "not_judged"]
Ability = Literal["kept", "lost", "undecided", "at_chance", "untested"]
Judges = Literal["people", "simulated", "llm"]
WHO: dict[Judges, str] = {"people": "Editors", "simulated": "Simulated editors", "llm": "Programs"}
ABILITY: dict[Ability, str] = {
    "kept": "we could not see a loss of general ability",
    "lost": "it lost general ability",
    "undecided": "we cannot tell yet whether it lost general ability",
    "at_chance": "this test cannot tell whether it lost general ability",
    "untested": "its general ability was not tested",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Who preferred what. rate: ties shared equally; None, like bounds, where it is not known, for `reason`."""

    outcome: Outcome
    judges: Judges
    wanted: float
    rate: float | None = None
    bounds: Interval | None = None
    reason: str = ""

    @property
    def who(self) -> str:
        return WHO[self.judges]


def preference(told: ToldRun) -> Preference:
    """What people said; where none judged, what programs said, under their own name."""
    if told.analysis is None:
        return Preference(outcome="not_judged", judges="people", wanted=told.wanted_win_rate())
    people = told.analysis.find("win_rate", OVERALL)
    judges: Judges = "people"
    found, where = people, OVERALL
    if people is None or people.known is None:
        found, judges, where = of_programs(told.analysis) or (people, "people", OVERALL)
    wanted = told.wanted_win_rate(where)
    if found is None:
        return Preference(outcome="unknown", judges=judges, wanted=wanted, reason="nothing was measured")
    if found.known is None or found.bounds is None:
        why = found.reason or ""
        return Preference(outcome="unknown", judges=judges, wanted=wanted, rate=found.known, reason=why)
    outcome = outcome_of(found.bounds, wanted)
    return Preference(outcome=outcome, judges=judges, wanted=wanted, rate=found.known, bounds=found.bounds)


def of_programs(analysis: Analysis) -> tuple[Finding, Judges, Slice] | None:
    """The win rate of programs of one kind, simulated editors first."""
    kinds: tuple[Judges, ...] = ("simulated", "llm")
    for kind in kinds:
        where = Slice("judges", kind)
        found = analysis.find("win_rate", where)
        if found is not None and found.known is not None:
            return found, kind, where
    return None


def outcome_of(bounds: Interval, wanted: float) -> Outcome:
    """Where an interval lies against one half and against what is wanted.

    >>> outcome_of(Interval(low=0.52, high=0.66, level=0.95, method="by hand"), 0.6)
    'better'
    """
    if bounds.high < 0.5:
        return "worse"
    if bounds.low > wanted:
        return "as_wanted"
    if bounds.low > 0.5:
        return "better" if bounds.high > wanted else "less_than_wanted"
    return "undecided" if bounds.high > wanted else "no_better"


def ability(told: ToldRun) -> Ability:
    """What the capability test came to."""
    if told.capability is None or told.capability.outcome == "alone":
        return "untested"
    known: dict[str, Ability] = {
        "within": "kept",
        "worse": "lost",
        "underpowered": "undecided",
        "at_chance": "at_chance",
    }
    return known[told.capability.outcome]


def answer(found: Preference, kept: Ability) -> str:
    """The first sentence of the page."""
    turn = "but " if kept == "lost" and found.outcome in ("as_wanted", "better", "less_than_wanted") else ""
    return f"{people_part(found)}; {turn}{ABILITY[kept]}."


def people_part(found: Preference) -> str:
    """What editors preferred, as a clause."""
    who, wanted = found.who, of_ten(found.wanted)
    if found.outcome == "not_judged":
        return "No editor has judged the new model yet"
    if found.outcome == "unknown" or found.rate is None:
        return f"These votes do not tell which model {who.lower()} prefer"
    rate = of_ten(found.rate)
    if found.outcome == "worse":
        return f"{who} preferred the old model: the new one won {rate} of 10 comparisons"
    preferred = f"{who} preferred the new model in {rate} of 10 comparisons"
    return preferred + {
        "as_wanted": "",
        "better": f", which is better, but not surely the {wanted} we asked for",
        "less_than_wanted": f", which is better but less than the {wanted} we asked for",
        "no_better": ", so it does not look better than the old one",
        "undecided": ", which is too close to call",
    }.get(found.outcome, "")


def of_ten(share: float) -> str:
    """A share as so many of ten, with a tenth where it says something.

    >>> of_ten(0.6), of_ten(0.648)
    ('6', '6.5')
    """
    return words.number(10 * share, 1).removesuffix(".0")


def of_hundred(share: float) -> str:
    """A share as so many of a hundred.

    >>> of_hundred(0.724)
    '72'
    """
    return words.number(100 * share, 0)
